//! The data folder of an embedded installation: who uses it, and whether it is whole.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use watchbell_common::{queue::sqlite, settings::Settings};

/// Stands in the folder while files are being put back.
const RESTORING: &str = "restoring";

/// Takes the folder for this process. Two on one data folder would each believe to be the only one.
pub(crate) fn lock(dir: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(dir).with_context(|| format!("making the data folder {}", dir.display()))?;
    let path = dir.join("lock");
    let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another watchbell uses the data folder {}", dir.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

/// Refuses a folder that nothing was ever kept in: where it is mistyped, a command that looks would make an empty
/// installation and find it in good order.
pub(crate) fn check_installed(settings: &Settings) -> anyhow::Result<()> {
    let dir = &settings.data.dir;
    let there = !settings.embedded() || dir.join(sqlite::FILE).exists();
    ensure!(there, "there is no installation in {} (data.dir): `watchbell serve` makes one", dir.display());
    Ok(())
}

/// Refuses a folder in which a restore was cut off: half of it may be there.
pub(crate) fn check_whole(dir: &Path) -> anyhow::Result<()> {
    let cut_off = dir.join(RESTORING).exists();
    ensure!(!cut_off, "a restore into {} was cut off: run it again with --force", dir.display());
    Ok(())
}

/// Marks the folder as being restored until [`Restoring::done`].
pub(crate) struct Restoring(PathBuf);

impl Restoring {
    pub(crate) fn begin(dir: &Path) -> anyhow::Result<Self> {
        let marker = dir.join(RESTORING);
        File::create(&marker)
            .and_then(|file| file.sync_all())
            .with_context(|| format!("making {}", marker.display()))?;
        sync(dir)?;
        Ok(Self(marker))
    }

    pub(crate) fn done(self) -> anyhow::Result<()> {
        fs::remove_file(&self.0).with_context(|| format!("removing {}", self.0.display()))
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync(dir: &Path) -> anyhow::Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).with_context(|| format!("syncing {}", dir.display()))
}
