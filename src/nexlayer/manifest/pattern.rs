//! The forms that names and values have, each as code and as the regular expression that says the
//! same in a schema.

/// A form of a text.
pub(super) struct Pattern {
    #[cfg_attr(not(feature = "schemars"), allow(dead_code))]
    pub(super) regex: &'static str,
    pub(super) fits: fn(&str) -> bool,
}

pub(super) const APPLICATION_NAME: Pattern = Pattern {
    regex: "^[a-z][a-z0-9.-]{2,63}$",
    fits: |text| (3..=64).contains(&text.len()) && is_name(text, b".-"),
};

/// Of pods, volumes and secrets.
pub(super) const NAME: Pattern = Pattern {
    regex: "^[a-z][a-z0-9-]{1,63}$",
    fits: |text| (2..=64).contains(&text.len()) && is_name(text, b"-"),
};

pub(super) const PATH: Pattern = Pattern {
    regex: "^/",
    fits: |text| text.starts_with('/'),
};

pub(super) const IMAGE: Pattern = Pattern {
    regex: "^(?:[a-zA-Z0-9_.-]+(?:[/:][a-zA-Z0-9_.-]+)*:[a-zA-Z0-9][a-zA-Z0-9._-]*|<% *REGISTRY *%>/[a-zA-Z0-9_.-]+(?:[/:][a-zA-Z0-9_.-]+)*)$",
    fits: is_image,
};

pub(super) const VOLUME_SIZE: Pattern = Pattern {
    regex: "^[0-9]+(?:Mi|Gi)$",
    fits: |text| {
        let digits = text.strip_suffix("Mi").or_else(|| text.strip_suffix("Gi"));
        digits.is_some_and(is_digits)
    },
};

pub(super) const URL: Pattern = Pattern {
    regex: "^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,6}$",
    fits: |text| {
        text.rsplit_once('.').is_some_and(|(labels, top)| {
            labels.split('.').all(is_label)
                && (2..=6).contains(&top.len())
                && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
    },
};

pub(super) const SUBDOMAIN: Pattern = Pattern {
    regex: "^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
    fits: |text| text.split('.').all(is_label),
};

pub(super) const CPU: Pattern = Pattern {
    regex: "^(?:[0-9]+m|[0-9]+(?:\\.[0-9]+)?)$",
    fits: |text| text.strip_suffix('m').map_or(is_decimal(text), is_digits),
};

pub(super) const MEMORY: Pattern = Pattern {
    regex: "^[0-9]+(?:\\.[0-9]+)?(?:Ei|Pi|Ti|Gi|Mi|Ki|E|P|T|G|M|K)?$",
    fits: |text| is_decimal(unit(text).0),
};

/// A port that is written as a text.
#[cfg(feature = "schemars")]
pub(super) const PORT: &str =
    "^(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";

/// The value of the same form as [`PORT`].
pub(super) fn port(text: &str) -> Option<u16> {
    let plain = is_digits(text) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

/// An amount of CPU in thousandths.
pub(super) fn cpu(text: &str) -> Option<f64> {
    if !(CPU.fits)(text) {
        return None;
    }
    match text.strip_suffix('m') {
        Some(digits) => digits.parse().ok(),
        None => text.parse().ok().map(|cores: f64| cores * 1000.0),
    }
}

/// An amount of memory in bytes.
pub(super) fn memory(text: &str) -> Option<f64> {
    let (number, factor) = unit(text);
    let number: f64 = is_decimal(number).then(|| number.parse().ok()).flatten()?;
    Some(number * factor)
}

/// The number in front of a unit, and what the unit stands for.
fn unit(text: &str) -> (&str, f64) {
    const UNITS: [(&str, i32, f64); 12] = [
        ("Ei", 6, 1024.0),
        ("Pi", 5, 1024.0),
        ("Ti", 4, 1024.0),
        ("Gi", 3, 1024.0),
        ("Mi", 2, 1024.0),
        ("Ki", 1, 1024.0),
        ("E", 6, 1000.0),
        ("P", 5, 1000.0),
        ("T", 4, 1000.0),
        ("G", 3, 1000.0),
        ("M", 2, 1000.0),
        ("K", 1, 1000.0),
    ];
    UNITS
        .iter()
        .find_map(|(unit, power, base)| Some((text.strip_suffix(unit)?, base.powi(*power))))
        .unwrap_or((text, 1.0))
}

fn is_name(text: &str, others: &[u8]) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || others.contains(&byte)
        })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    match text.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(text),
    }
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_image(text: &str) -> bool {
    let parts = |text: &str| {
        text.split(['/', ':']).all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        })
    };
    if let Some(rest) = behind_registry(text) {
        return rest.strip_prefix('/').is_some_and(parts);
    }
    text.rsplit_once(':').is_some_and(|(repository, tag)| {
        parts(repository)
            && parts(tag)
            && !tag.contains('/')
            && tag.starts_with(|first: char| first.is_ascii_alphanumeric())
    })
}

/// What stands behind `<% REGISTRY %>`.
pub(super) fn behind_registry(image: &str) -> Option<&str> {
    let inner = image.strip_prefix("<%")?.trim_start_matches(' ');
    let rest = inner.strip_prefix("REGISTRY")?.trim_start_matches(' ');
    rest.strip_prefix("%>")
}
