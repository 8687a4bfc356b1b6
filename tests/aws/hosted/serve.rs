//! `switchman serve` with `kind = "aws"`: answers, several replicas, and an orderly end.

use super::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_answer_each_command_once_and_end_in_order() {
    let world = World::new().await;
    let first = world.serve().await;
    let second = world.serve().await;
    for text in ["help", "status", "list-batches"] {
        let ack = world.types(text).await;
        assert_eq!(ack.status, Some(200), "{text}: {ack:?}\n{}", world.log());
    }
    world.reads("start-batch JOB").await;
    world.reads("Nothing is running").await;
    world.reads("No run was asked for").await;
    let (a, b) = tokio::join!(first.stop(), second.stop());
    assert_eq!((a, b), (Some(0), Some(0)), "{}", world.log());
    let answers = world.slack.calls().iter().filter(|call| call.method == "response_url").count();
    assert_eq!(answers, 3, "{}", world.slack.transcript());
}
