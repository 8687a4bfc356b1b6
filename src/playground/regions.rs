//! The Regions panel: what the page shows of the regions, and the switches that make one of them have a bad day.
//!
//! The playground does not know what a region is made of: whoever puts the program together gives it a [`RegionPanel`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Json;
use axum::body::Body;
use axum::extract::State as Injected;
use axum::extract::rejection::JsonRejection;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Playground;
use super::api::reply;

/// How often an open page is told what has changed about the regions.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(700);
/// The slowest replication that can be asked for, in seconds.
const SLOWEST: f64 = 600.0;

/// The regions as the page needs them.
#[async_trait]
pub trait RegionPanel: Send + Sync {
    /// The state of things. The error says what could not be read.
    async fn look(&self) -> Result<RegionsView, String>;

    /// Turns a switch. The error says why nothing changed.
    async fn turn(&self, switch: RegionSwitch) -> Result<(), String>;
}

/// All regions at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RegionsView {
    /// The number that goes up at each switch.
    pub epoch: u64,
    /// How long a change waits before it is copied, in milliseconds.
    pub delay_ms: u64,
    /// In the order of the configuration.
    pub regions: Vec<RegionView>,
}

/// One region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RegionView {
    pub name: String,
    pub active: bool,
    /// False: it is cut off.
    pub reachable: bool,
    /// How far it is behind the active region, in milliseconds, as measured; none for the active one and where nobody can say.
    pub lag_ms: Option<u64>,
    /// Files of the active region that have not arrived here; none as above.
    pub pending: Option<u64>,
    /// None: it cannot be read, which does not mean that there is nothing in it.
    pub files: Option<Vec<RegionFile>>,
    /// Files that are not named, because there are too many.
    pub more: usize,
}

/// A file of a region, or the chunks of one attempt taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegionFile {
    pub name: String,
    pub kind: FileKind,
    pub bytes: u64,
    /// How many files this line stands for: 1 unless it is about chunks.
    pub parts: u64,
    /// How many of them are in the other region as well; none where that cannot be told.
    pub arrived: Option<u64>,
}

/// What a file of a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    Input,
    Chunk,
    Output,
    Rejects,
}

/// What somebody at the page can do to the regions.
#[derive(Debug, Clone, PartialEq)]
pub enum RegionSwitch {
    /// Nobody reaches the region any more, and nothing is copied from or to it.
    CutOff {
        region: String,
    },
    BringBack {
        region: String,
    },
    /// A change waits this long before it is copied.
    Delay {
        by: Duration,
    },
}

/// A switch as the page sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    switch: String,
    region: String,
    seconds: Option<f64>,
}

impl Wanted {
    fn checked(self, names: &[&str]) -> Result<RegionSwitch, String> {
        match self.switch.as_str() {
            "delay" => match self.seconds {
                Some(seconds) if (0.0..=SLOWEST).contains(&seconds) => {
                    Ok(RegionSwitch::Delay { by: Duration::from_secs_f64(seconds) })
                }
                _ => Err(format!("a delay takes `seconds` from 0 to {SLOWEST}")),
            },
            "cut-off" | "bring-back" if !names.contains(&self.region.as_str()) => {
                Err(format!("there is no region \"{}\"; there are: {}", self.region, names.join(", ")))
            }
            "cut-off" => Ok(RegionSwitch::CutOff { region: self.region }),
            "bring-back" => Ok(RegionSwitch::BringBack { region: self.region }),
            other => Err(format!("there is no switch \"{other}\"; there are: cut-off, bring-back, delay")),
        }
    }
}

/// `POST /do/region`. A refusal is one line of text that the page shows as it is.
pub(super) async fn turn(
    Injected(playground): Injected<Playground>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Response<Body> {
    let Json(wanted) = match wanted {
        Ok(wanted) => wanted,
        Err(rejection) => return (rejection.status(), rejection.body_text()).into_response(),
    };
    let Some(panel) = playground.config().regions.clone() else {
        return (StatusCode::NOT_FOUND, "this playground has only one region").into_response();
    };
    match turned(panel, wanted).await {
        Ok(view) => reply(StatusCode::OK, &json!({ "ok": true, "regions": view })),
        Err((status, why)) => (status, why).into_response(),
    }
}

/// The state of things after the switch was turned.
async fn turned(panel: Arc<dyn RegionPanel>, wanted: Wanted) -> Result<RegionsView, (StatusCode, String)> {
    let broken = |why| (StatusCode::SERVICE_UNAVAILABLE, why);
    let before = panel.look().await.map_err(broken)?;
    let names: Vec<&str> = before.regions.iter().map(|region| region.name.as_str()).collect();
    let switch = wanted.checked(&names).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
    panel.turn(switch).await.map_err(broken)?;
    panel.look().await.map_err(broken)
}

/// What a page is told of the regions; none where there is nothing to choose between.
pub(super) async fn change(playground: &Playground) -> Option<Value> {
    let panel = playground.config().regions.clone()?;
    Some(match panel.look().await {
        Ok(view) => json!({ "change": "regions", "regions": view }),
        Err(why) => json!({ "change": "regions", "trouble": why }),
    })
}
