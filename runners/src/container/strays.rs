//! Containers that nobody owns any more.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bollard::query_parameters::ListContainersOptionsBuilder;

use super::{INSTANCE_LABEL, LOCK_LABEL, ROLE_LABEL, remove};
use crate::engine::{Engine, EngineError};

/// Removes the sandboxes of instances that are not alive, and says how many there were. Whether an instance lives
/// is for the caller to say, from its id and from the lock that its containers name; it is asked once for each.
/// Containers without our labels are never touched.
pub async fn remove_strays(
    engine: &Engine,
    mut is_alive: impl FnMut(&str, Option<&Path>) -> bool,
) -> Result<usize, EngineError> {
    let filters = HashMap::from([("label", vec![format!("{ROLE_LABEL}=sandbox")])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let list = engine.call("list containers", engine.docker().list_containers(Some(options))).await?;
    let mut alive = BTreeMap::new();
    let mut removed = 0;
    for container in list {
        let labels = container.labels.unwrap_or_default();
        let (Some(instance), Some(id)) = (labels.get(INSTANCE_LABEL), container.id) else { continue };
        let lives = *alive
            .entry(instance.clone())
            .or_insert_with(|| is_alive(instance, labels.get(LOCK_LABEL).map(Path::new)));
        if !lives {
            remove(engine, &id).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
