//! The names of environments.

use std::collections::HashSet;

use super::Nexlayer;

// `environment` is adjective-animal: jolly-tapir on the page, compassionate-parrot in
// Nexlayer/documentation:app/api-reference/[endpoint]/EndpointClientPage.tsx.
const ADJECTIVES: [&str; 12] = [
    "amiable",
    "brisk",
    "calm",
    "ecstatic",
    "fantastic",
    "graceful",
    "humble",
    "jolly",
    "lucky",
    "mellow",
    "quiet",
    "swift",
];
const ANIMALS: [&str; 12] = [
    "badger", "beetle", "falcon", "fox", "frog", "gazelle", "heron", "lynx", "otter", "parrot",
    "tapir", "wren",
];

impl Nexlayer {
    /// One that no application has: the address of a site is made of it and of the application's name, and leads to one
    /// application. How the platform keeps them apart is not known; the sandbox goes on to the next pair, and adds a
    /// number where all are taken, since it keeps more applications than there are pairs.
    pub(super) fn environment(&mut self) -> String {
        let adjective = self.ids.below(ADJECTIVES.len());
        let first = adjective * ANIMALS.len() + self.ids.below(ANIMALS.len());
        let apps = self.sessions.iter().flat_map(|one| &one.applications);
        let taken: HashSet<&str> = apps.map(|app| app.environment.as_str()).collect();
        let pairs = ADJECTIVES.len() * ANIMALS.len();
        let next = (first..first + pairs).map(pair);
        let mut free = next.filter(|name| !taken.contains(name.as_str()));
        if let Some(name) = free.next() {
            return name;
        }
        loop {
            let name = format!("{}{}", pair(first), self.ids.below(10_000));
            if !taken.contains(name.as_str()) {
                return name;
            }
        }
    }
}

/// The pair at this place; after the last one comes the first.
fn pair(at: usize) -> String {
    let animal = ANIMALS.get(at % ANIMALS.len());
    let adjective = ADJECTIVES.get(at / ANIMALS.len() % ADJECTIVES.len());
    let (adjective, animal) = adjective.zip(animal).unwrap_or((&"jolly", &"tapir"));
    format!("{adjective}-{animal}")
}
