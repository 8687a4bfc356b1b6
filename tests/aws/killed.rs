//! Whoever starts or stops an attempt dies at each of its requests, with that one carried out or not; another does it again. There is one
//! execution, and a stop is final.

use crate::contract::engine::{Pace, ROWS, attempt};
use crate::plant::Plant;
use crate::proxy::Fault;
use crate::workflows::nightly;
use aws_config::retry::RetryConfig;
use switchman::ports::{ExecutionState, StartRun};

/// More requests than any call makes.
const MOST: usize = 30;

/// A plant, and a run for each death.
async fn runs(flow: bool) -> (Plant, impl Fn(usize) -> StartRun) {
    let mut plant = Plant::documented().await;
    // Whoever is dead does not try again.
    plant.account.config = plant.account.config.to_builder().retry_config(RetryConfig::disabled()).build();
    plant.put("input/endless/may.csv", ROWS).await;
    let run = if flow { nightly("r-aaaa.1") } else { plant.start_run("r-aaaa.1", Pace::Endless, "may.csv").await };
    (plant, move |n| StartRun { key: attempt(&format!("r-aaaa.{}", n + 1)), ..run.clone() })
}

/// Does `call` for each number of requests that it lives to make; says how many there are when nobody dies.
async fn each_death(
    plant: &Plant,
    prepare: impl AsyncFn(usize),
    call: impl AsyncFn(usize),
    check: impl AsyncFn(usize),
) -> usize {
    for n in 0..2 * MOST {
        prepare(n).await;
        plant.proxy.heal();
        plant.proxy.cut(n / 2, if n % 2 == 0 { Fault::AnswerLost } else { Fault::Refused(503, "ServiceUnavailable") });
        call(n).await;
        let died = plant.proxy.heal() > n / 2;
        check(n).await;
        if !died {
            return n / 2;
        }
    }
    panic!("it makes more than {MOST} requests")
}

#[tokio::test]
async fn a_start_that_was_killed_anywhere_is_one_execution_when_it_is_repeated() {
    for flow in [false, true] {
        let (plant, run) = runs(flow).await;
        let start = async |n| drop(plant.engine().start(&run(n)).await);
        let requests = each_death(
            &plant,
            async |_| (),
            start,
            async |n| {
                plant.engine().start(&run(n)).await.unwrap();
                let execution = plant.engine().describe(&run(n).key).await.unwrap();
                assert_eq!(execution.state, ExecutionState::Running, "{n}");
                let name = run(n).key.to_string().replace('.', "_");
                let all = plant.states().named(&name);
                // `r-aaaa_1` is the beginning of `r-aaaa_10`, too.
                assert_eq!(all.iter().filter(|e| e.input.contains(&format!("\"{}\"", run(n).key))).count(), 1, "{n}");
            },
        );
        let requests = requests.await;
        assert!(requests >= 6, "{requests}");
    }
}

#[tokio::test]
async fn a_stop_that_was_killed_anywhere_is_final_when_it_is_repeated() {
    for flow in [false, true] {
        let (plant, run) = runs(flow).await;
        let begin = async |n| plant.engine().start(&run(n)).await.unwrap();
        let stop = async |n: usize| drop(plant.engine().stop(&run(n).key).await);
        let requests = each_death(&plant, begin, stop, async |n| {
            // What people are told meanwhile is true: it stays so.
            let told = plant.engine().describe(&run(n).key).await.unwrap().state;
            plant.engine().stop(&run(n).key).await.unwrap();
            plant.engine().start(&run(n)).await.unwrap();
            let then = plant.engine().describe(&run(n).key).await.unwrap().state;
            assert_eq!(then, ExecutionState::Cancelled, "{n}");
            assert!(matches!(told, ExecutionState::Running | ExecutionState::Cancelled), "{n}: {told:?}");
            let all = plant.states().named(&run(n).key.to_string().replace('.', "_"));
            let own = all.iter().find(|e| e.input.contains(&format!("\"{}\"", run(n).key))).unwrap();
            assert_eq!((own.status, own.redrives.len()), ("ABORTED", 0), "{n}");
        });
        let requests = requests.await;
        assert!(requests >= 5, "{requests}");
    }
}

#[tokio::test]
async fn a_redrive_that_was_killed_anywhere_is_one_execution() {
    let (plant, run) = runs(false).await;
    let begin = async |n| {
        plant.engine().start(&run(n)).await.unwrap();
        plant.states().change(&run(n).key.to_string().replace('.', "_"), |execution| execution.status = "FAILED");
    };
    let start = async |n| drop(plant.engine().start(&run(n)).await);
    let check = async |n| {
        plant.engine().start(&run(n)).await.unwrap();
        let all = plant.states().named(&run(n).key.to_string().replace('.', "_"));
        let own: Vec<_> = all.iter().filter(|e| e.input.contains(&format!("\"{}\"", run(n).key))).collect();
        assert_eq!((own.len(), own[0].status, own[0].redrives.len()), (1, "RUNNING", 1), "{n}");
    };
    let requests = each_death(&plant, begin, start, check).await;
    assert!(requests >= 5, "{requests}");
}
