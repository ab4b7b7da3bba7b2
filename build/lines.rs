//! Finds the line of a JSON path in the text of a spec.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// The entries of a map or list with their lines: keys as `.key`, items as `[0]`.
#[derive(Default)]
pub struct Lines(Vec<(String, u64, Lines)>);

impl Lines {
    /// Reads the text; empty if it is not YAML.
    pub fn of(text: &str) -> Self {
        serde_saphyr::from_str_with_options(text, super::yaml::options()).unwrap_or_default()
    }

    /// The line of a path such as `$.paths./v1/x.get`, or of the nearest part above it that exists.
    pub fn line(&self, path: &str) -> Option<u64> {
        let mut rest = path.strip_prefix('$')?;
        let (mut inside, mut line) = (self, None);
        // Keys may contain dots, so the longest one that matches counts.
        let fits = |rest: &str, key: &str| {
            let after = rest.strip_prefix(key)?;
            (after.is_empty() || after.starts_with(['.', '['])).then_some(key.len())
        };
        while let Some((length, at, next)) = inside
            .0
            .iter()
            .filter_map(|(key, line, next)| Some((fits(rest, key)?, *line, next)))
            .max_by_key(|(length, ..)| *length)
        {
            (rest, line, inside) = (&rest[length..], Some(at), next);
        }
        line
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any YAML")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lines, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<Spanned<String>, _>()? {
                    entries.push((format!(".{}", key.value), key.referenced.line(), value));
                }
                Ok(Lines(entries))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
                let mut entries = Vec::new();
                while let Some(item) = list.next_element::<Spanned<Lines>>()? {
                    let line = item.referenced.line();
                    entries.push((format!("[{}]", entries.len()), line, item.value));
                }
                Ok(Lines(entries))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Lines, E> {
                Ok(Lines::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Lines, E> {
                Ok(Lines::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Lines, E> {
                Ok(Lines::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Lines, E> {
                Ok(Lines::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<Lines, E> {
                Ok(Lines::default())
            }

            fn visit_unit<E>(self) -> Result<Lines, E> {
                Ok(Lines::default())
            }
        }
        deserializer.deserialize_any(Entries)
    }
}
