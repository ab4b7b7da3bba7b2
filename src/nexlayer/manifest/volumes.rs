//! Reads the volumes and secret files of a pod.

use super::cursor::{Cursor, Fields};
use super::patterns::{SECRET, VOLUME};
use super::rules::Rule;
use super::spec::{SecretFile, Size, Volume};
use super::tree::Node;
use crate::secret::Secret;
use std::collections::HashSet;

pub(super) fn volumes(pod: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Vec<Volume> {
    let mut names = HashSet::new();
    let list = pod.get("volumes").and_then(|list| list.items());
    let mut volume = |item: Cursor<'_>| {
        let mut fields = item.fields(&VOLUME)?;
        let name = fields.name(&mut names);
        let volume = Volume {
            name: String::new(),
            size: fields.string("size").map(Size::from),
            mount_path: mount_path(&mut fields, mounts),
            others: fields.others(),
        };
        let (name, _) = name?;
        Some(Volume { name, ..volume })
    };
    list.into_iter().flatten().filter_map(&mut volume).collect()
}

pub(super) fn secrets(pod: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Vec<SecretFile> {
    let mut names = HashSet::new();
    let list = pod.get("secrets").and_then(|list| list.items());
    let list = list.into_iter().flatten();
    list.filter_map(|item| secret(&item, &mut names, mounts))
        .collect()
}

fn secret(
    item: &Cursor<'_>,
    names: &mut HashSet<String>,
    mounts: &mut HashSet<String>,
) -> Option<SecretFile> {
    let mut fields = item.fields(&SECRET)?;
    let name = fields.name(names);
    let (mut data, mut files) = match fields.get("data") {
        Some(value) => contents(&value),
        None => (None, Vec::new()),
    };
    let mut file_name = fields.text("fileName").map(|(file_name, place)| {
        if file_name.is_empty() || file_name.contains('/') {
            place.warn(Rule::FileName);
        }
        file_name
    });
    if file_name.is_none()
        && let [_] = files.as_slice()
    {
        (file_name, data) = files.pop().unzip();
    }
    let mount_path = mount_path(&mut fields, mounts);
    let others = fields.others();
    let (name, place) = name?;
    if mount_path.is_none() && !mounts.insert(format!("/var/secrets/{name}")) {
        item.shown_at(place.at).warn(Rule::MountCollision);
    }
    Some(SecretFile {
        name,
        data,
        file_name,
        files,
        mount_path,
        others,
    })
}

/// The contents of one file, or of several by their names.
fn contents(value: &Cursor<'_>) -> (Option<Secret>, Vec<(String, Secret)>) {
    let Node::Map(_) = value.node else {
        return (value.text().map(Secret::from), Vec::new());
    };
    let message = "a text is expected today, with fileName beside it";
    value.warn_that(Rule::OldSpelling, message);
    let files = value.entries().into_iter().flatten();
    let files = files
        .filter_map(|(name, data)| Some((name.to_owned(), data.value("a single value")?.into())));
    (None, files.collect())
}

fn mount_path(fields: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Option<String> {
    let (path, place) = fields.text("mountPath")?;
    if !mounts.insert(path.trim_end_matches('/').to_owned()) {
        place.warn(Rule::MountCollision);
    }
    Some(path)
}
