//! Moves the optional parameters of each generated method into a struct.
//!
//! `list_things(page: Option<i64>)` becomes `list_things()`, which sends none of them, and
//! `list_things_with(|options| options.page = Some(2))`. Callers of both still compile when the spec gets
//! another optional parameter, and they cannot swap two of them.

use heck::ToUpperCamelCase;
use syn::{
    FnArg, GenericArgument, Generics, Ident, ImplItem, ImplItemFn, Item, ItemStruct, Pat,
    PathArguments, Type, parse_quote,
};

/// Applies the pass to the generated code.
pub fn apply(items: &mut Vec<Item>) {
    let mut structs = Vec::new();
    for item in items.iter_mut() {
        let Item::Impl(item) = item else { continue };
        let mut methods = Vec::new();
        for mut item in std::mem::take(&mut item.items) {
            if let ImplItem::Fn(method) = &mut item
                && let Some((plain, options)) = split(method)
            {
                methods.push(ImplItem::Fn(plain));
                structs.push(Item::Struct(options));
            }
            methods.push(item);
        }
        item.items = methods;
    }
    items.extend(structs);
}

/// The name of the method that takes the optional parameters.
pub fn method_name(operation_id: &str) -> String {
    format!("{operation_id}_with")
}

/// Makes the method take its optional parameters in a struct. Returns the method without them, and the struct;
/// `None` if it has none.
fn split(method: &mut ImplItemFn) -> Option<(ImplItemFn, ItemStruct)> {
    let inputs = std::mem::take(&mut method.sig.inputs).into_iter();
    let (optional, required): (Vec<FnArg>, Vec<FnArg>) =
        inputs.partition(|input| value_of_option(input).is_some());
    method.sig.inputs = required.iter().cloned().collect();
    if optional.is_empty() {
        return None;
    }
    let old_name = method.sig.ident.clone();
    let name = old_name.to_string();
    let new_name = Ident::new(&method_name(&name), old_name.span());
    let options = Ident::new(
        &format!("{}Options", name.to_upper_camel_case()),
        old_name.span(),
    );
    let arguments = required.iter().filter_map(name_and_type);
    let arguments = arguments.map(|(name, _)| name);
    let (names, types): (Vec<_>, Vec<_>) = optional.iter().filter_map(name_and_type).unzip();

    let doc = format!(" As [`Self::{new_name}`], without its optional parameters.");
    let mut plain = method.clone();
    plain.attrs = vec![parse_quote!(#[doc = #doc])];
    plain.block = parse_quote!({ self.#new_name(#(#arguments,)* |_| {}).await });

    let borrows = optional.iter().any(|input| {
        let value = value_of_option(input);
        matches!(value, Some(Type::Reference(_)))
    });
    let generics: Generics = match borrows {
        true => parse_quote!(<'a>),
        false => Generics::default(),
    };
    method.sig.ident = new_name;
    let argument = parse_quote!(options: impl FnOnce(&mut #options #generics));
    method.sig.inputs.push(argument);
    let values = parse_quote! {
        let #options { #(#names),* } = {
            let mut values = #options::default();
            options(&mut values);
            values
        };
    };
    method.block.stmts.insert(0, values);
    let doc = format!(
        " The optional parameters of [`Client::{}`].",
        method.sig.ident
    );
    let options = parse_quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, Default)]
        pub struct #options #generics {
            #(pub #names: #types,)*
        }
    };
    Some((plain, options))
}

/// The type `T` of an argument with the type `Option<T>`.
fn value_of_option(input: &FnArg) -> Option<&Type> {
    let (_, Type::Path(path)) = name_and_type(input)? else {
        return None;
    };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
            match arguments.args.first()? {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            }
        }
        _ => None,
    }
}

fn name_and_type(input: &FnArg) -> Option<(&Ident, &Type)> {
    match input {
        FnArg::Typed(argument) => match &*argument.pat {
            Pat::Ident(pat) => Some((&pat.ident, &argument.ty)),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(method: &str) -> String {
        let code = format!("impl Client {{ {method} }}");
        let mut syntax = syn::parse_file(&code).unwrap();
        apply(&mut syntax.items);
        prettyplease::unparse(&syntax)
    }

    #[test]
    fn optional_parameters_become_a_struct() {
        let code = applied(
            "pub async fn list_pods<'a>(&'a self, id: &'a str, name: Option<&'a str>, page: Option<i64>) -> R { send(id, name, page) }",
        );
        for expected in [
            "pub async fn list_pods<'a>(&'a self, id: &'a str) -> R {\n        self.list_pods_with(id, |_| {}).await",
            "options: impl FnOnce(&mut ListPodsOptions<'a>),",
            "let ListPodsOptions { name, page } = {",
            "pub struct ListPodsOptions<'a> {\n    pub name: Option<&'a str>,\n    pub page: Option<i64>,\n}",
        ] {
            assert!(code.contains(expected), "{expected}\nis not in\n{code}");
        }
        let code =
            applied("pub async fn list_pods<'a>(&'a self, page: Option<i64>) -> R { send(page) }");
        assert!(code.contains("FnOnce(&mut ListPodsOptions),"), "{code}");
    }

    #[test]
    fn a_method_without_optional_parameters_stays() {
        let code = "impl Client {\n    pub async fn get_pod<'a>(&'a self, id: &'a str) -> R {\n        send(id)\n    }\n}\n";
        assert_eq!(
            applied("pub async fn get_pod<'a>(&'a self, id: &'a str) -> R { send(id) }"),
            code
        );
    }
}
