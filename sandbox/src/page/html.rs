//! The page as HTML: one file, no script, nothing from elsewhere.

use std::fmt::{self, Write};
use std::time::Duration;

use super::{OfFault, OfPlatform, OfRequest, View};
use crate::deployed::Deployed;
use crate::model::Platform;
use crate::time::rfc3339;

const STYLE: &str = include_str!("page.css");

/// Text that somebody sent, as text.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter if letter.is_control() => f.write_str("\u{fffd}")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// `4 s`, `12 min`, `3 h`, `2 d`.
struct Age(Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds @ 0..=119 => write!(f, "{seconds} s"),
            seconds @ 120..=7_199 => write!(f, "{} min", seconds / 60),
            seconds @ 7_200..=172_799 => write!(f, "{} h", seconds / 3_600),
            seconds => write!(f, "{} d", seconds / 86_400),
        }
    }
}

impl View {
    pub(super) fn html(&self) -> String {
        let mut out = String::with_capacity(16 << 10);
        // To write into a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let refresh = match self.refresh {
            Some(seconds) => format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"),
            None => String::new(),
        };
        let (clock, driven) = (
            rfc3339(self.now).replace(['T', 'Z'], " "),
            if self.driven {
                "UTC, driven by hand"
            } else {
                "UTC"
            },
        );
        let links = match self.refresh {
            Some(_) => "<a href=\"/\">Stop refreshing</a>",
            None => "<a href=\"/\">Refresh</a> <a href=\"/?refresh=2\">Every 2 s</a>",
        };
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n{refresh}\
             <link rel=\"icon\" href=\"data:,\">\n<title>deploykit sandbox</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>deploykit sandbox</h1>\n\
             <p>Clock <time>{}</time> {driven}</p>\n\
             <nav>{links} <a href=\"/?format=json\">JSON</a></nav>\n</header>\n<main>\n",
            clock.trim(),
        )?;
        out.push_str("<h2>Deployed</h2>\n<div class=\"platforms\">\n");
        for one in &self.platforms {
            one.write(out, self.now)?;
        }
        out.push_str("</div>\n");
        self.write_faults(out)?;
        self.write_requests(out)?;
        out.push_str("</main>\n</body>\n</html>\n");
        Ok(())
    }

    fn write_faults(&self, out: &mut String) -> fmt::Result {
        out.push_str("<section aria-labelledby=\"faults\">\n<h2 id=\"faults\">Faults</h2>\n");
        if self.faults.is_empty() {
            out.push_str("<p class=\"none\">None: everything goes as it should.</p>\n</section>\n");
            return Ok(());
        }
        table(out, &["Fault", "Met", "Left"]);
        for OfFault {
            text,
            seen,
            used,
            left,
        } in &self.faults
        {
            let left = if *left { "yes" } else { "done" };
            writeln!(
                out,
                "<tr><th scope=\"row\"><code>{}</code></th><td>{used} of {seen}</td><td>{left}</td></tr>",
                Escaped(text)
            )?;
        }
        out.push_str("</tbody>\n</table>\n</section>\n");
        Ok(())
    }

    fn write_requests(&self, out: &mut String) -> fmt::Result {
        out.push_str(
            "<section aria-labelledby=\"requests\">\n<h2 id=\"requests\">Latest requests</h2>\n",
        );
        if self.requests.is_empty() {
            out.push_str("<p class=\"none\">Nobody has asked for anything yet.</p>\n</section>\n");
            return Ok(());
        }
        table(out, &["Time", "Request", "Status"]);
        for one in &self.requests {
            one.write(out)?;
        }
        out.push_str("</tbody>\n</table>\n</section>\n");
        Ok(())
    }
}

impl OfPlatform {
    fn write(&self, out: &mut String, now: Duration) -> fmt::Result {
        let id = self.platform;
        let name = match self.platform {
            Platform::Nexlayer => "Nexlayer",
            Platform::Dployr => "dployr",
            Platform::Nodion => "Nodion",
            Platform::Edgegap => "Edgegap",
        };
        write!(
            out,
            "<section class=\"platform\" aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{name}</h3>\n<p><code>{}</code></p>\n",
            Escaped(&self.url)
        )?;
        if self.deployed.is_empty() {
            out.push_str("<p class=\"none\">Nothing yet.</p>\n</section>\n");
            return Ok(());
        }
        table(out, &["Name", "State", "Since"]);
        for Deployed {
            kind,
            name,
            deployment,
            state,
            since,
            address,
        } in &self.deployed
        {
            let deployment = match deployment {
                Some(number) => format!(", deployment {number}"),
                None => String::new(),
            };
            let address = match address {
                Some(address) => format!("<br><code>{}</code>", Escaped(address)),
                None => String::new(),
            };
            writeln!(
                out,
                "<tr><th scope=\"row\"><b>{}</b><br><small>{kind}{deployment}</small>{address}</th>\
                 <td class=\"{}\">{}</td><td>{}</td></tr>",
                Escaped(name),
                mood(state),
                Escaped(state),
                Age(now.saturating_sub(*since)),
            )?;
        }
        out.push_str("</tbody>\n</table>\n");
        if self.more > 0 {
            writeln!(out, "<p class=\"none\">And {} more.</p>", self.more)?;
        }
        out.push_str("</section>\n");
        Ok(())
    }
}

impl OfRequest {
    fn write(&self, out: &mut String) -> fmt::Result {
        let written = rfc3339(self.at);
        let time = written.get(11..19).unwrap_or(&written);
        write!(
            out,
            "<tr><td><time>{time}</time></td><th scope=\"row\"><b>{}</b> <code>{} {}</code>",
            self.platform,
            Escaped(&self.method),
            Escaped(&self.path),
        )?;
        match self.operation {
            Some(operation) => write!(out, "<br><small>{operation}</small>")?,
            None => out.push_str("<br><small>no operation</small>"),
        }
        if let Some(fault) = &self.fault {
            write!(
                out,
                "<br><span class=\"bad\">fault {}</span>",
                Escaped(fault)
            )?;
        }
        for problem in &self.problems {
            write!(out, "<br><span class=\"bad\">{}</span>", Escaped(problem))?;
        }
        let mood = if self.status >= 400 { "bad" } else { "good" };
        writeln!(out, "</th><td class=\"{mood}\">{}</td></tr>", self.status)
    }
}

fn table(out: &mut String, names: &[&str]) {
    out.push_str("<table>\n<thead><tr>");
    for name in names {
        // What is named takes the room, the rest as much as it needs.
        out.push_str(match *name {
            "Name" | "Fault" | "Request" => "<th scope=\"col\" class=\"name\">",
            _ => "<th scope=\"col\">",
        });
        out.push_str(name);
        out.push_str("</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

/// Only a colour beside the word.
fn mood(state: &str) -> &'static str {
    let state = state.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| state.contains(word));
    if has(&["fail", "error"]) {
        "bad"
    } else if has(&["running", "success", "available", "ready"]) {
        "good"
    } else {
        "busy"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_text() {
        let escaped = Escaped("<b onclick='x()'>\"&\u{0}\n").to_string();
        assert_eq!(
            escaped,
            "&lt;b onclick=&#39;x()&#39;&gt;&quot;&amp;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn ages() {
        for (seconds, age) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_200, "2 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(Age(Duration::from_secs(seconds)).to_string(), age);
        }
    }
}
