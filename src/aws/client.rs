//! The one configuration of all clients: region, credentials, TLS, timeouts, retries.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take to begin.
const READ: Duration = Duration::from_secs(5);
/// How long one try may take.
const ATTEMPT: Duration = Duration::from_secs(6);
/// How long a call may take with all its tries: shorter than any lease we take.
const OPERATION: Duration = Duration::from_secs(15);
/// Tries of one call, the first included. Between them the SDK waits with jitter, and it stops when most calls fail.
const TRIES: u32 = 4;
/// The wait before the second try, at most; it doubles. Somebody waits for an answer within three seconds.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Reads region and credentials as every AWS tool does (environment, profile, container, instance) and sets the limits.
/// `AWS_ENDPOINT_URL` names another endpoint, such as an emulator.
pub async fn connect(region: &str) -> SdkConfig {
    connect_with(aws_config::defaults(BehaviorVersion::v2026_01_12()), region).await
}

/// The same for the region that the environment names: before anything else is known.
pub async fn connect_here() -> SdkConfig {
    limited(aws_config::defaults(BehaviorVersion::v2026_01_12())).load().await
}

/// The same with a loader that knows more already, such as credentials.
pub async fn connect_with(loader: ConfigLoader, region: &str) -> SdkConfig {
    limited(loader.region(Region::new(region.to_owned()))).load().await
}

/// The same connections and limits, to another region.
pub fn elsewhere(config: &SdkConfig, region: &str) -> SdkConfig {
    config.to_builder().region(Region::new(region.to_owned())).build()
}

fn limited(loader: ConfigLoader) -> ConfigLoader {
    // Named, so that the SDK never looks for the provider that is banned here.
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    loader
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES).with_initial_backoff(FIRST_WAIT))
}

/// The limits of a call that waits for something to happen, for at most `wait`.
pub(super) fn patient(wait: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ + wait)
        .operation_attempt_timeout(ATTEMPT + wait)
        .operation_timeout(OPERATION + wait)
        .build()
}
