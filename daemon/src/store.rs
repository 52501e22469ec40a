//! The database: SQLite in WAL mode with `synchronous=FULL`.
//!
//! ```text
//! any task ── write(closure) ──▶ bounded queue ──▶ writer thread: BEGIN, closures of up to 64 callers, COMMIT
//! any task ── read(closure) ───▶ a connection of its own from a small pool, on a blocking thread
//! ```
//!
//! One thread owns the only writing connection, so that there is never a lock to wait for, and commits what many
//! callers ask in one transaction, so that they share one flush to disk. A closure that fails is rolled back alone.
//! Nobody hears of success before the commit. Readers never wait for the writer.
//!
//! What was removed can be written over: the file is then made anew, between two transactions, and the log is emptied.

pub(crate) mod columns;
mod migrations;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

/// How many writes wait before callers have to.
const QUEUE: usize = 1024;
/// How many writes share one commit.
const BATCH: usize = 64;
/// How many idle reading connections are kept.
const IDLE_READERS: usize = 8;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The disk is full.
    #[error("the disk that holds the database is full")]
    DiskFull,
    /// A column holds what this build does not understand.
    #[error("database: {what} is malformed: {message}")]
    Malformed {
        /// The value.
        what: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The file was written by a newer build.
    #[error(
        "the database has version {found}, this build knows up to {known}: use the newer codementor again"
    )]
    TooNew {
        /// The file's version.
        found: i64,
        /// The newest version that this build knows.
        known: i64,
    },
    /// The directory cannot be written.
    #[error("cannot create {path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An event that the rules of the submission's life do not allow.
    #[error(transparent)]
    Illegal(#[from] codementor_protocol::Illegal),
    /// The writer has ended.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Gives the one cause that a user can remove a name of its own.
    pub(crate) fn sorted(self) -> Self {
        match self {
            Self::Sqlite(error) if is_disk_full(&error) => Self::DiskFull,
            other => other,
        }
    }

    /// For [`Result::map_err`] where a column is parsed.
    pub fn malformed(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |message| Self::Malformed { what, message: message.to_string() }
    }
}

/// What a closure gives back; `Err` undoes what it wrote.
pub type StoreResult<T> = Result<T, StoreError>;

/// Runs one caller's closure inside the open transaction and returns how to answer once the commit is known.
type Write = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Option<&rusqlite::Error>) + Send>;

/// What the writing thread is asked for.
enum Order {
    Write(Write),
    /// Write over what was removed.
    Scrub(oneshot::Sender<StoreResult<()>>),
}

/// The open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writes: mpsc::Sender<Order>,
    readers: Arc<Readers>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens or creates the database and brings it to the newest version.
    pub fn open(path: &Path) -> StoreResult<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|source| StoreError::Directory { path: parent.into(), source })?;
        }
        let connection = Self::migrated(path)?;
        let (writes, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_loop(&connection, queue))
            .map_err(|source| StoreError::Directory { path: path.into(), source })?;
        Ok(Self { writes, readers: Arc::new(Readers { path: path.into(), idle: Mutex::new(Vec::new()) }) })
    }

    /// A connection to a database that nobody else has open, brought to the newest version.
    pub(crate) fn migrated(path: &Path) -> StoreResult<Connection> {
        let mut connection = Connection::open(path).map_err(|error| StoreError::from(error).sorted())?;
        configure(&connection).map_err(StoreError::sorted)?;
        migrations::run(&mut connection).map_err(StoreError::sorted)?;
        Ok(connection)
    }

    /// Runs `work` in a transaction, and returns once it is on disk.
    pub async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let write: Write = Box::new(move |connection| {
            let result = in_savepoint(connection, work);
            Box::new(move |failed| {
                let result = match failed {
                    // One commit is many callers' own, and its error cannot be shared out among them.
                    Some(error) if is_disk_full(error) => Err(StoreError::DiskFull),
                    Some(error) => Err(StoreError::Malformed { what: "commit", message: error.to_string() }),
                    None => result,
                };
                // The caller may have stopped waiting; what it asked is done all the same.
                let _ = answer.send(result);
            })
        });
        self.writes.send(Order::Write(write)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?.map_err(StoreError::sorted)
    }

    /// Makes the file anew, so that nothing is left in it or in its log of what was removed. Writes wait for it.
    pub async fn scrub(&self) -> StoreResult<()> {
        let (answer, answered) = oneshot::channel();
        self.writes.send(Order::Scrub(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?.map_err(StoreError::sorted)
    }

    /// Runs `work` on a connection that only reads.
    pub async fn read<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    {
        let readers = self.readers.clone();
        tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let result = work(&connection);
            readers.give_back(connection);
            result
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }
}

impl Readers {
    fn take(&self) -> StoreResult<Connection> {
        let idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
    }
}

/// Writes what is of no use to anybody, to see whether the database can be written.
pub fn probe(db: &Connection) -> StoreResult<()> {
    // The value is its own: the page is written and nothing is changed.
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    db.pragma_update(None, "user_version", version)?;
    Ok(())
}

fn is_disk_full(error: &rusqlite::Error) -> bool {
    // That the index of the WAL finds no room is told as an error of its own.
    error.sqlite_error().is_some_and(|error| {
        error.code == rusqlite::ErrorCode::DiskFull
            || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
    })
}

fn configure(connection: &Connection) -> StoreResult<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> StoreResult<T>,
) -> StoreResult<T> {
    connection.execute_batch("SAVEPOINT caller")?;
    let result = work(connection);
    match &result {
        Ok(_) => connection.execute_batch("RELEASE caller")?,
        Err(_) => connection.execute_batch("ROLLBACK TO caller; RELEASE caller")?,
    }
    result
}

fn write_loop(connection: &Connection, mut queue: mpsc::Receiver<Order>) {
    while let Some(order) = queue.blocking_recv() {
        let scrub = match order {
            Order::Write(first) => write_batch(connection, first, &mut queue),
            Order::Scrub(answer) => Some(answer),
        };
        if let Some(answer) = scrub {
            // The caller may have stopped waiting.
            let _ = answer.send(scrub_file(connection));
        }
    }
}

fn scrub_file(connection: &Connection) -> StoreResult<()> {
    connection.execute_batch("VACUUM")?;
    // Readers of an older state keep the log from being emptied; they are done within the busy timeout.
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    match busy {
        false => Ok(()),
        true => Err(StoreError::Malformed { what: "log", message: "somebody reads it for too long".into() }),
    }
}

/// Runs what waits in one transaction. Gives back what is to be done after it.
fn write_batch(
    connection: &Connection,
    first: Write,
    queue: &mut mpsc::Receiver<Order>,
) -> Option<oneshot::Sender<StoreResult<()>>> {
    let mut scrub = None;
    let mut answers = Vec::new();
    let mut failed = connection.execute_batch("BEGIN IMMEDIATE").err();
    if failed.is_none() {
        answers.push(first(connection));
        while answers.len() < BATCH {
            match queue.try_recv() {
                Ok(Order::Write(next)) => answers.push(next(connection)),
                Ok(Order::Scrub(answer)) => {
                    scrub = Some(answer);
                    break;
                }
                Err(_) => break,
            }
        }
        failed = connection.execute_batch("COMMIT").err();
        if failed.is_some() {
            // A commit that failed, on a full disk for one, may leave the transaction open.
            let _ = connection.execute_batch("ROLLBACK");
        }
    } else {
        // Nothing was begun: run nothing, but let the caller hear why.
        answers.push(Box::new(move |_| drop(first)));
    }
    if let Some(error) = &failed {
        tracing::error!(%error, "the database refused a transaction");
    }
    for answer in answers {
        answer(failed.as_ref());
    }
    scrub
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(&dir.path().join("t.db")).expect("opens");
        (dir, store)
    }

    fn add_user(name: &'static str) -> impl FnOnce(&Connection) -> StoreResult<()> + Send {
        move |db| {
            db.execute("INSERT INTO users (name, created) VALUES (?1, 0)", [name])?;
            Ok(())
        }
    }

    async fn users(store: &Store) -> i64 {
        store
            .read(|db| Ok(db.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?))
            .await
            .expect("reads")
    }

    #[tokio::test]
    async fn a_write_that_fails_undoes_itself_and_nobody_else() {
        let (_dir, store) = open();
        let fails = store.write(|db| {
            add_user("kim")(db)?;
            add_user("kim")(db)
        });
        let (failed, kept) = tokio::join!(fails, store.write(add_user("lee")));
        assert!(failed.is_err());
        kept.expect("is written");
        assert_eq!(users(&store).await, 1);
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_opening_again() {
        let (dir, store) = open();
        store.write(add_user("kim")).await.expect("is written");
        drop(store);
        let again = Store::open(&dir.path().join("t.db")).expect("opens again");
        assert_eq!(users(&again).await, 1);
    }

    #[tokio::test]
    async fn a_reader_does_not_wait_for_a_writer() {
        let (_dir, store) = open();
        let (entered, wait_entered) = std::sync::mpsc::channel();
        let (go_on, wait_go_on) = std::sync::mpsc::channel::<()>();
        let writing = tokio::spawn({
            let store = store.clone();
            async move {
                store
                    .write(move |db| {
                        add_user("kim")(db)?;
                        entered.send(()).expect("the test waits");
                        wait_go_on.recv().expect("the test sends");
                        Ok(())
                    })
                    .await
            }
        });
        tokio::task::spawn_blocking(move || wait_entered.recv())
            .await
            .expect("joins")
            .expect("the write runs");
        assert_eq!(users(&store).await, 0);
        go_on.send(()).expect("the writer waits");
        writing.await.expect("joins").expect("is written");
        assert_eq!(users(&store).await, 1);
    }

    #[test]
    fn a_database_of_a_newer_build_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("t.db");
        drop(Store::open(&path).expect("opens"));
        Connection::open(&path).expect("opens").pragma_update(None, "user_version", 9999).expect("is set");
        assert!(matches!(Store::open(&path), Err(StoreError::TooNew { found: 9999, .. })));
    }
}
