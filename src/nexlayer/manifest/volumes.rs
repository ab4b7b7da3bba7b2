//! Reads the volumes and secret files of a pod.

use super::cursor::{Cursor, Fields};
use super::patterns::{SECRET, VOLUME};
use super::rules::Rule;
use super::spec::{SecretFile, Volume};
use crate::secret::Secret;
use std::collections::HashSet;

pub(super) fn volumes(pod: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Vec<Volume> {
    let mut names = HashSet::new();
    let list = pod.get("volumes").and_then(|list| list.items());
    let volume = |item: Cursor<'_>| {
        let mut fields = item.fields(&VOLUME)?;
        Some(Volume {
            name: fields.name(&mut names),
            size: fields.string("size"),
            mount_path: mount_path(&mut fields, mounts),
            others: fields.others(),
        })
    };
    list.into_iter().flatten().filter_map(volume).collect()
}

pub(super) fn secrets(pod: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Vec<SecretFile> {
    let mut names = HashSet::new();
    let list = pod.get("secrets").and_then(|list| list.items());
    let secret = |item: Cursor<'_>| {
        let mut fields = item.fields(&SECRET)?;
        let name = fields.name(&mut names);
        let mount_path = mount_path(&mut fields, mounts);
        if mount_path.is_none() && !mounts.insert(format!("/var/secrets/{name}")) {
            item.warn(Rule::MountCollision);
        }
        Some(SecretFile {
            name,
            data: fields.string("data").map(Secret::from),
            file_name: file_name(&mut fields),
            mount_path,
            others: fields.others(),
        })
    };
    list.into_iter().flatten().filter_map(secret).collect()
}

fn file_name(fields: &mut Fields<'_>) -> Option<String> {
    let (file_name, place) = fields.text("fileName")?;
    if file_name.is_empty() || file_name.contains('/') {
        place.warn(Rule::FileName);
    }
    Some(file_name)
}

fn mount_path(fields: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Option<String> {
    let (path, place) = fields.text("mountPath")?;
    if !mounts.insert(path.trim_end_matches('/').to_owned()) {
        place.warn(Rule::MountCollision);
    }
    Some(path)
}
