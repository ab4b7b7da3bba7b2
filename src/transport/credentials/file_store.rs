//! Tokens in a file.

use super::source::{TokenError, TokenStore, Tokens};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// A file larger than this was not written here.
const LARGEST: u64 = 1 << 20;

/// Keeps tokens in a file that only its owner may read (on Unix), written anew as a whole.
///
/// One file is for one account: tokens that were kept for another platform, address or account are as
/// if they were not there, and are replaced. Reading and writing block for the moment that they take.
///
/// ```no_run
/// # fn example() -> deploykit::Result<()> {
/// # #[cfg(feature = "dployr")] {
/// use deploykit::{FileStore, dployr};
/// let client = dployr::Client::builder()
///     .base_url("https://dployr.example")
///     .login("user@example.com", "password")
///     .token_store(FileStore::new("/var/lib/my-app/dployr-token"))
///     .build()?;
/// # let _ = client; }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// A store in this file; its directory must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn read(&self, owner: &str) -> io::Result<Option<Tokens>> {
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text)?;
        // The words of the error quote what they found.
        let kept: Kept = serde_json::from_str(&text)
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it holds no tokens"))?;
        Ok((kept.owner == owner).then(|| kept.into()))
    }

    fn write(&self, owner: &str, tokens: &Tokens) -> io::Result<()> {
        // Beside it, so that renaming is atomic; named so that two writers do not share one.
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}.{number}.new", std::process::id()));
        let beside = PathBuf::from(name);
        // One that a process left behind when it was killed, and whose number this one has now.
        let _ = fs::remove_file(&beside);
        let written = write_private(&beside, &Kept::new(owner, tokens))
            .and_then(|()| fs::rename(&beside, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn failed(&self, error: &io::Error) -> TokenError {
        TokenError::new(format!("{}: {error}", self.path.display()))
    }
}

fn write_private(path: &Path, kept: &Kept) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_all()
}

impl TokenStore for FileStore {
    async fn load(&self, owner: &str) -> Result<Option<Tokens>, TokenError> {
        self.read(owner).map_err(|error| self.failed(&error))
    }

    async fn save(&self, owner: &str, tokens: &Tokens) -> Result<(), TokenError> {
        self.write(owner, tokens)
            .map_err(|error| self.failed(&error))
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("path", &self.path)
            .finish()
    }
}

/// The file. Plain strings: here, and nowhere else, tokens are written on purpose.
#[derive(Serialize, Deserialize)]
struct Kept {
    owner: String,
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    /// Seconds since 1970.
    #[serde(default)]
    expires_at: Option<u64>,
}

impl Kept {
    fn new(owner: &str, tokens: &Tokens) -> Self {
        let since = |at: std::time::SystemTime| at.duration_since(UNIX_EPOCH).ok();
        Self {
            owner: owner.to_owned(),
            access_token: tokens.access.expose().to_owned(),
            refresh_token: tokens
                .refresh
                .as_ref()
                .map(|token| token.expose().to_owned()),
            expires_at: tokens.expires_at.and_then(since).map(|at| at.as_secs()),
        }
    }
}

impl From<Kept> for Tokens {
    fn from(kept: Kept) -> Self {
        let mut tokens = Self::new(kept.access_token);
        tokens.refresh = kept.refresh_token.map(Into::into);
        tokens.expires_at = kept
            .expires_at
            .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "dployr https://a.example user@example.com";

    fn store(name: &str) -> FileStore {
        let name = format!("deploykit-{}-{name}", std::process::id());
        FileStore::new(std::env::temp_dir().join(name))
    }

    #[test]
    fn what_is_kept_comes_back_and_is_for_its_owner_alone() {
        let store = store("kept");
        assert_eq!(store.read(OWNER).unwrap(), None);
        let tokens = Tokens::new("access-1")
            .refresh("refresh-1")
            .expires_in(Duration::from_secs(3600));
        store.write(OWNER, &tokens).unwrap();
        store.write(OWNER, &tokens).unwrap();
        assert_eq!(store.read("nodion https://b.example").unwrap(), None);
        let found = store.read(OWNER).unwrap().unwrap();
        assert_eq!(
            (&found.access, &found.refresh),
            (&tokens.access, &tokens.refresh)
        );
        let (kept, given) = (found.expires_at.unwrap(), tokens.expires_at.unwrap());
        assert!(given.duration_since(kept).unwrap() < Duration::from_secs(1));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&store.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_file(&store.path).unwrap();
    }

    #[test]
    fn a_file_that_is_something_else_is_an_error_that_quotes_nothing() {
        let store = store("broken");
        for text in ["", "hush-hush", "{\"access_token\": [\"hush\"]}"] {
            fs::write(&store.path, text).unwrap();
            let error = store.failed(&store.read(OWNER).unwrap_err());
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
        fs::remove_file(&store.path).unwrap();
        let nowhere = FileStore::new("/nonexistent-directory/token");
        assert!(nowhere.write(OWNER, &Tokens::new("a")).is_err());
    }
}
