//! The options of every YAML reader. The client, the sandbox and the tests include this file.

use serde_saphyr::Options;
use serde_saphyr::options::NonFiniteFloatPolicy;

/// Reads YAML 1.2: `yes`, `0755` and `1_000` are strings. So is `.nan`, which JSON cannot represent.
pub(crate) fn options() -> Options {
    serde_saphyr::options! {
        // The default of 64 overflows a stack of 2 MiB in debug builds.
        budget: serde_saphyr::budget! { max_depth: 24 },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        ignore_binary_tag_for_string: true,
        // A snippet may contain secrets.
        with_snippet: false,
    }
}
