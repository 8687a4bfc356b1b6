//! The suite of the engine on Step Functions: on the emulator's, and as they are documented.

use crate::contract::engine::{EngineBackend, Pace};
use crate::plant::Plant;
use std::sync::Arc;
use switchman::domain::run::AttemptKey;
use switchman::ports::{Engine, StartRun};

struct Emulated(Plant);
struct Documented(Plant);

mod emulated {
    use super::Emulated;
    engine_contract!(Emulated);
}

mod documented {
    use super::Documented;
    engine_contract!(Documented);
}

fn name(key: &AttemptKey) -> String {
    key.to_string().replace('.', "_")
}

macro_rules! backend {
    ($backend:ident, $plant:ident, $interrupt:ident, $executions:ident) => {
        impl EngineBackend for $backend {
            async fn fresh() -> Self {
                Self(Plant::$plant().await)
            }

            fn engine(&self) -> Arc<dyn Engine> {
                self.0.engine()
            }

            async fn put(&self, pace: Pace, name: &str, text: &str) {
                self.0.put(&format!("input/{}/{name}", pace.job()), text).await;
            }

            async fn remove(&self, pace: Pace, name: &str) {
                self.0.remove(&format!("input/{}/{name}", pace.job())).await;
            }

            async fn start_run(&self, key: &str, pace: Pace, name: &str) -> StartRun {
                self.0.start_run(key, pace, name).await
            }

            async fn end(&self, run: &StartRun) {
                self.0.work(run).await;
            }

            async fn interrupt(&self, run: &StartRun) {
                $interrupt(&self.0, &name(&run.key)).await;
            }

            async fn executions(&self, key: &AttemptKey) -> usize {
                $executions(&self.0, &name(key)).await
            }
        }
    };
}

backend!(Emulated, emulated, abort, list);
backend!(Documented, documented, fail, named);

async fn list(plant: &Plant, prefix: &str) -> usize {
    let client = aws_sdk_sfn::Client::new(&plant.account.config);
    let machines = client.list_state_machines().send().await.unwrap().state_machines;
    let all = client.list_executions().state_machine_arn(&machines[0].state_machine_arn).send().await.unwrap();
    all.executions.iter().filter(|execution| execution.name.starts_with(prefix)).count()
}

/// Nothing in the emulator can make an execution fail from outside: to the engine an abort that nobody asked for is the same.
async fn abort(plant: &Plant, name: &str) {
    let client = aws_sdk_sfn::Client::new(&plant.account.config);
    let machines = client.list_state_machines().send().await.unwrap().state_machines;
    let arn = machines[0].state_machine_arn.replace(":stateMachine:", ":execution:");
    client.stop_execution().execution_arn(format!("{arn}:{name}")).send().await.unwrap();
}

fn named(plant: &Plant, prefix: &str) -> std::future::Ready<usize> {
    std::future::ready(plant.states().named(prefix).len())
}

fn fail(plant: &Plant, name: &str) -> std::future::Ready<()> {
    plant.states().change(name, |execution| execution.status = "FAILED");
    std::future::ready(())
}
