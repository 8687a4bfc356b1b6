//! The Regions panel of the playground's page, over the regions of this machine.

use crate::domain::id::RegionName;
use crate::embedded::LocalRegions;
use crate::embedded::regions::{self, RegionLook};
use crate::playground::{FileKind, RegionFile, RegionPanel, RegionSwitch, RegionView, RegionsView};
use crate::ports::{PortError, Regions};
use async_trait::async_trait;
use jiff::SignedDuration;
use std::sync::Arc;

/// The panel; `None` where there is only one region.
pub(super) fn panel(regions: &Arc<LocalRegions>) -> Option<Arc<dyn RegionPanel>> {
    let several = regions.names().len() > 1;
    several.then(|| Arc::new(Panel(regions.clone())) as Arc<dyn RegionPanel>)
}

struct Panel(Arc<LocalRegions>);

#[async_trait]
impl RegionPanel for Panel {
    async fn look(&self) -> Result<RegionsView, String> {
        let look = self.0.look().await.map_err(said)?;
        Ok(RegionsView {
            epoch: look.active.epoch,
            delay_ms: u64::try_from(look.lag.as_millis()).unwrap_or(u64::MAX),
            regions: look.regions.into_iter().map(region).collect(),
        })
    }

    async fn turn(&self, switch: RegionSwitch) -> Result<(), String> {
        let named = |name: &str| RegionName::parse(name).map_err(|error| error.to_string());
        match switch {
            RegionSwitch::CutOff { region } => self.0.cut_off(&named(&region)?, true).map_err(said),
            RegionSwitch::BringBack { region } => self.0.cut_off(&named(&region)?, false).map_err(said),
            RegionSwitch::Delay { by } => {
                self.0.set_lag(by);
                Ok(())
            }
        }
    }
}

fn region(look: RegionLook) -> RegionView {
    let standby = !look.active;
    RegionView {
        name: look.name.to_string(),
        active: look.active,
        reachable: look.reachable,
        lag_ms: look.replication.lag.filter(|_| standby).map(millis),
        pending: look.replication.pending.filter(|_| standby),
        files: look.files.map(|files| files.into_iter().map(file).collect()),
        more: look.more,
    }
}

fn file(file: regions::RegionFile) -> RegionFile {
    let kind = match file.kind {
        regions::FileKind::Input => FileKind::Input,
        regions::FileKind::Chunks => FileKind::Chunk,
        regions::FileKind::Output => FileKind::Output,
        regions::FileKind::Rejects => FileKind::Rejects,
    };
    RegionFile { name: file.name, kind, bytes: file.bytes, parts: file.parts, arrived: file.arrived }
}

fn millis(time: SignedDuration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(0)
}

fn said(error: PortError) -> String {
    error.to_string()
}
