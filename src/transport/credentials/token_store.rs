//! Token stores: keep tokens across processes, for example in a file.

use super::{BoxFuture, Tokens};
use crate::error::BoxError;
use crate::secret::expose_secrets;
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Size limit of a token file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Longest chain of symbolic links, as on Linux.
const MAX_LINKS: usize = 40;
/// Pause between two attempts to lock a token file.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Keeps tokens across processes, so that they share one login.
///
/// The store is read before each renewal, because another process may have renewed the token.
///
/// `owner` consists of the platform, its base URL, and the account if it is known. It contains no secret.
/// Do not return tokens of another owner: they would be sent to the wrong host.
pub trait TokenStore: Send + Sync + 'static {
    /// Loads the tokens saved last, if there are any.
    ///
    /// # Errors
    /// If the store cannot be read. The call then uses the token source.
    fn load(&self, owner: &str) -> impl Future<Output = Result<Option<Tokens>, BoxError>> + Send;

    /// Saves tokens and replaces the previous ones.
    ///
    /// # Errors
    /// If the store cannot be written. The call then uses the tokens anyway.
    fn save(
        &self,
        owner: &str,
        tokens: &Tokens,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Waits until no other process renews the tokens, and locks them until the result is dropped.
    ///
    /// Called before a renewal, which loads the tokens again and saves new ones. Default: no lock, so that
    /// several processes may log in at the same time.
    ///
    /// # Errors
    /// If the store cannot be locked. The renewal then runs without the lock, as it does after a wait of
    /// half of the deadline.
    fn lock(&self, _owner: &str) -> impl Future<Output = Result<Box<dyn Send>, BoxError>> + Send {
        std::future::ready(Ok(Box::new(()) as Box<dyn Send>))
    }
}

/// Object-safe [`TokenStore`].
pub(crate) trait ErasedStore: Send + Sync {
    fn load<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Option<Tokens>>;
    fn save<'a>(&'a self, owner: &'a str, tokens: &'a Tokens) -> BoxFuture<'a, ()>;
    fn lock<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Box<dyn Send>>;
}

impl<S: TokenStore> ErasedStore for S {
    fn load<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Option<Tokens>> {
        Box::pin(TokenStore::load(self, owner))
    }

    fn save<'a>(&'a self, owner: &'a str, tokens: &'a Tokens) -> BoxFuture<'a, ()> {
        Box::pin(TokenStore::save(self, owner, tokens))
    }

    fn lock<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Box<dyn Send>> {
        Box::pin(TokenStore::lock(self, owner))
    }
}

/// Keeps tokens in a file with mode 0600 (on Unix), replaced atomically.
///
/// Use one file per account: tokens of another platform, base URL or account are ignored and replaced. If
/// the path is a symbolic link, its target is replaced. File access blocks the thread for a moment.
///
/// A lock on a second file, `<path>.lock`, ensures that only one process at a time logs in or renews the
/// tokens. The others wait, without blocking the thread, and use the new tokens.
///
/// ```
/// # fn main() -> deploykit::Result<()> {
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
    /// A store in this file. The directory must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn read(&self, owner: &str) -> io::Result<Option<Tokens>> {
        let file = match fs::File::open(self.target("")?) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
        // serde's message may quote a token.
        let (stored_owner, tokens): (String, Tokens) = serde_json::from_str(&text)
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "the file contains no tokens"))?;
        Ok((stored_owner == owner).then_some(tokens))
    }

    fn write(&self, owner: &str, tokens: &Tokens) -> io::Result<()> {
        // Only here and in requests are tokens written out.
        let json = expose_secrets(|| serde_json::to_vec(&(owner, tokens)))?;
        // A temporary file in the same directory, so that the rename is atomic. Its name is random, so
        // that concurrent writers do not collide.
        let temporary = self.target(&format!(".{:016x}.new", fastrand::u64(..)))?;
        let written = private().create_new(true).open(&temporary);
        let written = written
            .and_then(|mut file| file.write_all(&json).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&temporary, self.target("")?));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// The path of the file, or of the target of a symbolic link, which need not exist yet, and a suffix.
    fn target(&self, suffix: &str) -> io::Result<PathBuf> {
        let target = |path: &PathBuf| Some(path.with_file_name(fs::read_link(path).ok()?));
        let links = std::iter::successors(Some(self.path.clone()), target).take(MAX_LINKS);
        let mut path = links.last().unwrap_or_default().into_os_string();
        path.push(suffix);
        let path = path.into();
        // Opening a named pipe would block the thread.
        let is_other = |path| fs::metadata(path).is_ok_and(|found| !found.is_file());
        if [&self.path, &path].into_iter().any(is_other) {
            let message = "not a regular file";
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(path)
    }

    fn with_path(&self, error: &io::Error) -> BoxError {
        format!("{}: {error}", self.path.display()).into()
    }
}

/// Opens files for writing, which only their owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl TokenStore for FileStore {
    async fn load(&self, owner: &str) -> Result<Option<Tokens>, BoxError> {
        self.read(owner).map_err(|error| self.with_path(&error))
    }

    async fn save(&self, owner: &str, tokens: &Tokens) -> Result<(), BoxError> {
        self.write(owner, tokens)
            .map_err(|error| self.with_path(&error))
    }

    async fn lock(&self, _: &str) -> Result<Box<dyn Send>, BoxError> {
        let lock = self.target(".lock")?;
        let file = private().create(true).truncate(false).open(lock)?;
        // Without an effect on file systems that have no locks.
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Ok(Box::new(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const OWNER: &str = "dployr https://a.example user@example.com";

    fn store(name: &str) -> FileStore {
        let name = format!("deploykit-{}-{name}", std::process::id());
        FileStore::new(std::env::temp_dir().join(name))
    }

    #[test]
    fn tokens_are_stored_for_their_owner_only() {
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

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_used() {
        let refused = |result: io::Result<()>| {
            let kind = result.map_err(|error| error.kind());
            assert_eq!(kind, Err(ErrorKind::InvalidInput));
        };
        let (pipe, link) = (store("pipe"), store("pipe-link"));
        let made = std::process::Command::new("mkfifo")
            .arg(&pipe.path)
            .status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink(&pipe.path, &link.path).unwrap();
        for store in [&pipe, &link] {
            refused(store.read(OWNER).map(|_| ()));
            refused(store.write(OWNER, &Tokens::new("a")));
            refused(store.target(".lock").map(|_| ()));
            let message = store.with_path(&store.read(OWNER).unwrap_err()).to_string();
            assert!(message.ends_with(": not a regular file"), "{message}");
        }
        refused(FileStore::new("/dev/zero").read(OWNER).map(|_| ()));
        refused(FileStore::new("/").read(OWNER).map(|_| ()));
        for store in [pipe, link] {
            fs::remove_file(store.path).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_target_of_a_symbolic_link_is_written() {
        let (store, second, target) = (store("link"), store("link-2"), store("target"));
        std::os::unix::fs::symlink(&second.path, &store.path).unwrap();
        // Relative, and its target does not exist yet.
        let relative = target.path.file_name().unwrap();
        std::os::unix::fs::symlink(relative, &second.path).unwrap();
        for token in ["a", "b"] {
            assert_ne!(store.read(OWNER).unwrap(), Some(Tokens::new(token)));
            store.write(OWNER, &Tokens::new(token)).unwrap();
            for store in [&store, &second, &target] {
                assert_eq!(store.read(OWNER).unwrap(), Some(Tokens::new(token)));
            }
        }
        assert_eq!(fs::read_link(&store.path).unwrap(), second.path);
        assert_eq!(fs::read_link(&second.path).unwrap(), Path::new(relative));
        let lock = |store: &FileStore| store.target(".lock").unwrap();
        assert_eq!(lock(&store), lock(&target));
        for store in [store, second, target] {
            fs::remove_file(store.path).unwrap();
        }
    }

    #[test]
    fn an_invalid_file_is_an_error_that_quotes_nothing() {
        let store = store("broken");
        for text in ["", "hush-hush", "{\"access\": [\"hush\"]}"] {
            fs::write(&store.path, text).unwrap();
            let error = store.with_path(&store.read(OWNER).unwrap_err());
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
        fs::remove_file(&store.path).unwrap();
        let nowhere = FileStore::new("/nonexistent-directory/token");
        assert!(nowhere.write(OWNER, &Tokens::new("a")).is_err());
    }
}
