//! Token stores: keep tokens across processes, for example in a file.

use super::{Boxed, Tokens};
use crate::error::BoxError;
use crate::secret::{Secret, expose_secrets};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file larger than this was not written here.
const LARGEST: u64 = 1 << 20;

/// Keeps tokens across processes, so that not each of them has to log in.
///
/// Before a token is renewed the store is asked: another process may have done it already.
///
/// `owner` names whose tokens they are: platform, address, and account if one is known. It holds no
/// secret. Tokens that were kept for another owner must not be given out: they would be sent to a host
/// that they are not for.
pub trait TokenStore: Send + Sync + 'static {
    /// What was kept last, if anything.
    ///
    /// # Errors
    /// When it cannot be read. The call goes on with the source.
    fn load(&self, owner: &str) -> impl Future<Output = Result<Option<Tokens>, BoxError>> + Send;

    /// Keeps these in the place of what was kept.
    ///
    /// # Errors
    /// When it cannot be written. The call goes on with the tokens it has.
    fn save(
        &self,
        owner: &str,
        tokens: &Tokens,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// [`TokenStore`] as an object.
pub(crate) trait ErasedStore: Send + Sync {
    fn load<'a>(&'a self, owner: &'a str) -> Boxed<'a, Option<Tokens>>;
    fn save<'a>(&'a self, owner: &'a str, tokens: &'a Tokens) -> Boxed<'a, ()>;
}

impl<S: TokenStore> ErasedStore for S {
    fn load<'a>(&'a self, owner: &'a str) -> Boxed<'a, Option<Tokens>> {
        Box::pin(TokenStore::load(self, owner))
    }

    fn save<'a>(&'a self, owner: &'a str, tokens: &'a Tokens) -> Boxed<'a, ()> {
        Box::pin(TokenStore::save(self, owner, tokens))
    }
}

/// Keeps tokens in a file that only its owner may read (on Unix), written anew as a whole.
///
/// One file is for one account: tokens that were kept for another platform, address or account are as
/// if they were not there, and are replaced. Reading and writing block for the moment that they take.
///
/// ```no_run
/// # fn example() -> deploykit::Result<()> {
/// # #[cfg(feature = "dployr")] {
/// use deploykit::{dployr, credentials::FileStore};
/// let client = dployr::Client::builder()
///     .base_url("https://dployr.example")
///     .login("user@example.com", "password")
///     .token_store(FileStore::new("/var/lib/my-app/dployr-token"))
///     .build()?;
/// # let _ = client; }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
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
        Ok((kept.owner == owner).then_some(Tokens {
            access: kept.access,
            refresh: kept.refresh,
            expires_at: kept.expires_at,
        }))
    }

    fn write(&self, owner: &str, tokens: &Tokens) -> io::Result<()> {
        // Beside it, so that renaming is atomic; named so that two writers do not share one.
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{:016x}.new", fastrand::u64(..)));
        let beside = PathBuf::from(name);
        let kept = Kept {
            owner: owner.to_owned(),
            access: tokens.access.clone(),
            refresh: tokens.refresh.clone(),
            expires_at: tokens.expires_at,
        };
        let written = write_private(&beside, &kept).and_then(|()| fs::rename(&beside, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn failed(&self, error: &io::Error) -> BoxError {
        format!("{}: {error}", self.path.display()).into()
    }
}

fn write_private(path: &Path, kept: &Kept) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&expose_secrets(|| serde_json::to_vec(kept))?)?;
    file.sync_all()
}

impl TokenStore for FileStore {
    async fn load(&self, owner: &str) -> Result<Option<Tokens>, BoxError> {
        self.read(owner).map_err(|error| self.failed(&error))
    }

    async fn save(&self, owner: &str, tokens: &Tokens) -> Result<(), BoxError> {
        self.write(owner, tokens)
            .map_err(|error| self.failed(&error))
    }
}

/// The file: the only place outside of a request where tokens are written.
#[derive(Serialize, Deserialize)]
struct Kept {
    owner: String,
    access: Secret,
    refresh: Option<Secret>,
    expires_at: Option<SystemTime>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
        assert_eq!(found, tokens);
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
        for text in ["", "hush-hush", "{\"access\": [\"hush\"]}"] {
            fs::write(&store.path, text).unwrap();
            let error = store.failed(&store.read(OWNER).unwrap_err());
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
        fs::remove_file(&store.path).unwrap();
        let nowhere = FileStore::new("/nonexistent-directory/token");
        assert!(nowhere.write(OWNER, &Tokens::new("a")).is_err());
    }
}
