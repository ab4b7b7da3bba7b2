//! The wrappers of operations: the methods that `src/<api>/operations.rs` names.

use std::collections::BTreeMap;
use syn::{Arm, Expr, Item, Lit, Pat, Stmt};

/// The method of each variant of `Op`. Empty if the text is not Rust.
pub fn read(source: &str) -> BTreeMap<String, String> {
    let items = syn::parse_file(source).map_or_else(|_| Vec::new(), |file| file.items);
    let functions = items.into_iter().filter_map(|item| match item {
        Item::Fn(function) => Some(function.block.stmts),
        _ => None,
    });
    let arms = functions.flatten().filter_map(|statement| match statement {
        Stmt::Expr(Expr::Match(expression), _) => Some(expression.arms),
        _ => None,
    });
    arms.flatten().flat_map(|arm| methods(&arm)).collect()
}

/// `Op::A | Op::B => "platform::Type::method"` as variants with the method.
fn methods(arm: &Arm) -> Vec<(String, String)> {
    let Expr::Lit(body) = &*arm.body else {
        return Vec::new();
    };
    let Lit::Str(method) = &body.lit else {
        return Vec::new();
    };
    let patterns = match &arm.pat {
        Pat::Or(several) => several.cases.iter().collect(),
        one => vec![one],
    };
    let variants = patterns.into_iter().filter_map(|pattern| match pattern {
        Pat::Path(path) => path.path.segments.last(),
        _ => None,
    });
    variants
        .map(|variant| (variant.ident.to_string(), method.value()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_match_names_the_methods() {
        let found = read(
            "const fn wrapper(op: Op) -> &'static str {
                match op {
                    // Op::Gone => \"x::Gone::get\",
                    Op::A | Op::B => \"x::Things::list\",
                    Op::C =>
                        \"x::Thing::get\",
                }
            }",
        );
        let found: Vec<_> = found
            .iter()
            .map(|(variant, method)| format!("{variant} {method}"))
            .collect();
        assert_eq!(
            found,
            ["A x::Things::list", "B x::Things::list", "C x::Thing::get"]
        );
        assert!(read("match {").is_empty());
    }
}
