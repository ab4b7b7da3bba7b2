//! Secrets that turn up once more, where nothing says that there is one.

use super::names::{Names, Sort, is_name, next_name};
use crate::secret::Secret;
use crate::transport::mask::replace;
use serde_json::Value;

/// A shorter secret is not looked for: it occurs in ordinary text by chance.
const SHORTEST: usize = 4;
/// A shorter setting does so, too: `running`, `3000`. A shorter number is mostly a count or a port.
pub(super) const SHORTEST_SETTING: usize = 8;

/// Where a secret turns up once more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Request,
    /// A program goes on with what is in it: a status, a port, a plan.
    Reply,
}

impl Names {
    /// A text of this place with every secret that is known replaced by its name. One that is too short
    /// to say something is not looked for.
    pub fn mask(&mut self, text: &str, place: Place) -> String {
        self.mask_those(text, |value, sort| {
            let is_long = value.len() >= SHORTEST_SETTING;
            let may_be_short = match (place, sort) {
                (_, Sort::Secret) => true,
                (Place::Request, Sort::Setting) => value == text,
                (Place::Reply, Sort::Setting) => false,
            };
            is_long || may_be_short && value.len() >= SHORTEST
        })
    }

    /// The same with all of them.
    pub fn mask_all(&mut self, text: &str) -> String {
        self.mask_those(text, |_, _| true)
    }

    fn mask_those(&mut self, text: &str, counts: impl Fn(&str, Sort) -> bool) -> String {
        let known = self.known.iter().map(|known| (&known.secret, known.sort));
        let loose = self.loose.iter().map(|secret| (secret, Sort::Setting));
        let values: Vec<Secret> = known
            .chain(loose)
            .filter(|(value, sort)| counts(value.expose(), *sort))
            .map(|(value, _)| value.clone())
            .collect();
        let values: Vec<&str> = values.iter().map(Secret::expose).collect();
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // What stands between names: in them no secret is looked for. In a secret there may be what
        // looks like one.
        let is_name = |names: &Self, name: &str| {
            names.given.contains(name) && !values.iter().any(|value| value.contains(name))
        };
        while let Some((from, to)) = next_name(rest, |name| is_name(self, name)) {
            out.push_str(&self.replace(&rest[..from], &values));
            out.push_str(&rest[from..to]);
            rest = &rest[to..];
        }
        out.push_str(&self.replace(rest, &values));
        out
    }

    fn replace(&mut self, text: &str, values: &[&str]) -> String {
        replace(text, values, |which| {
            let value = values.get(which).copied().unwrap_or_default();
            self.named("secret", value, Sort::Setting)
        })
    }

    /// The same as [`mask`](Self::mask) for all texts in JSON, and its keys. A number is masked if it is a
    /// long one, and a secret as a whole: with others a program computes.
    pub fn mask_json(&mut self, value: &mut Value, place: Place) {
        match value {
            Value::String(text) => *text = self.mask(text, place),
            Value::Number(number) => {
                let digits = number.to_string();
                if digits.len() >= SHORTEST_SETTING {
                    let masked = self.mask(&digits, place);
                    if is_name(&masked) {
                        *value = Value::String(masked);
                    }
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.mask_json(item, place)),
            Value::Object(map) => {
                for (name, mut inner) in std::mem::take(map) {
                    self.mask_json(&mut inner, place);
                    map.insert(self.mask(&name, place), inner);
                }
            }
            _ => {}
        }
    }

    /// A text that a test wants to see although it was marked as secret: credentials in it stay names.
    pub fn mask_but(&mut self, text: &str) -> String {
        // What was only watched is the text itself.
        let loose = std::mem::take(&mut self.loose);
        self.known.retain(|known| known.secret.expose() != text);
        let shown = self.mask(text, Place::Request);
        self.loose = loose;
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_short_is_looked_for_only_if_it_is_a_secret() {
        let mut names = Names::default();
        names.named("mode", "running", Sort::Setting);
        names.named("plan", "production", Sort::Setting);
        names.of("pin", "4711");
        names.of("pin", "1234567890");
        let text = "running in production with 4711";
        assert_eq!(
            names.mask(text, Place::Reply),
            "running in <plan> with <pin>"
        );
        let mut value = json!({ "running": [4711, 14711, 1234567890, 12345678901_u64], "4711": 1 });
        names.mask_json(&mut value, Place::Reply);
        assert_eq!(
            value,
            json!({ "running": [4711, 14711, "<pin-2>", 12345678901_u64], "<pin>": 1 })
        );
        // In a request nobody computes with it.
        assert_eq!(
            names.mask(text, Place::Request),
            "running in <plan> with <pin>"
        );
        assert_eq!(names.mask("running", Place::Request), "<mode>");
        // Once it is a secret somewhere, it is one.
        assert_eq!(names.of("password", "running"), "<mode>");
        assert_eq!(names.mask("running", Place::Reply), "<mode>");
    }

    #[test]
    fn a_secret_may_have_a_name_in_it() {
        let mut names = Names::default();
        names.of("password", "hu<b>sh");
        names.reserve_in("<b>bold");
        assert_eq!(names.mask("<b>hu<b>sh", Place::Reply), "<b><password>");
    }
}
