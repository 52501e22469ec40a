//! Numbered changes of the schema. `PRAGMA user_version` is the number of the last one that was made. A change that
//! has been released is never edited; a new one is added.

use rusqlite::Connection;

use super::{StoreError, StoreResult};

/// Each with the number of its file, which only ever grows.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_first.sql")),
    (3, include_str!("migrations/0003_accounts.sql")),
    (4, include_str!("migrations/0004_courses.sql")),
    (5, include_str!("migrations/0005_roster.sql")),
    (6, include_str!("migrations/0006_rejudge.sql")),
    (7, include_str!("migrations/0007_stats.sql")),
    (8, include_str!("migrations/0008_history.sql")),
];

/// Makes the changes that this database has not had yet, each in a transaction.
pub(super) fn run(connection: &mut Connection) -> StoreResult<()> {
    let known = MIGRATIONS.last().map_or(0, |(number, _)| *number);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
