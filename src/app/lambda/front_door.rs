//! The front door behind an HTTP API: the router of `serve`, with requests as API Gateway hands them over.

use axum::Router;
use lambda_runtime::Error;

pub(super) async fn run(router: Router) -> Result<(), Error> {
    lambda_http::run(router).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, Uri};
    use axum::routing::post;
    use lambda_http::tower::ServiceExt;

    /// An event of an HTTP API (payload format 2.0), as API Gateway's documentation shows it, with a body of Slack.
    fn event(body: &str, encoded: bool) -> String {
        serde_json::json!({
            "version": "2.0",
            "routeKey": "POST /slack/events",
            "rawPath": "/slack/events",
            "rawQueryString": "",
            "headers": {
                "content-type": "application/x-www-form-urlencoded",
                "host": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
                "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                "x-slack-request-timestamp": "1531420618",
                "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
            },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abcdef1234",
                "domainName": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
                "domainPrefix": "abcdef1234",
                "http": {
                    "method": "POST",
                    "path": "/slack/events",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "Slackbot 1.0 (+https://api.slack.com/robots)"
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "POST /slack/events",
                "stage": "$default",
                "time": "10/Nov/2026:14:22:42 +0000",
                "timeEpoch": 1_794_320_562_446_i64
            },
            "body": body,
            "isBase64Encoded": encoded
        })
        .to_string()
    }

    /// What the router gets of an event: path, signature and the raw bytes.
    async fn arrives(event: &str) -> (String, String, Bytes) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let sender = std::sync::Arc::new(std::sync::Mutex::new(Some(sender)));
        let router = Router::new().route(
            "/slack/events",
            post(move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
                let signature = headers["X-Slack-Signature"].to_str().unwrap().to_owned();
                let found = (uri.path().to_owned(), signature, body);
                sender.lock().unwrap().take().unwrap().send(found).unwrap();
            }),
        );
        let request = lambda_http::request::from_str(event).unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), 200);
        receiver.await.unwrap()
    }

    #[tokio::test]
    async fn the_router_gets_the_very_bytes_that_slack_signed() {
        let body = "token=x&command=%2Fmy-slack-bot&text=status+r-7k3f&user_name=J%C3%BCrgen";
        let (path, signature, plain) = arrives(&event(body, false)).await;
        assert_eq!((path.as_str(), &*plain), ("/slack/events", body.as_bytes()));
        assert!(signature.starts_with("v0=a2114d"));
        let encoded = data_encoding::BASE64.encode(body.as_bytes());
        assert_eq!(arrives(&event(&encoded, true)).await.2, plain);
        let bytes = [0xff, 0x00, b'&', 0xc3];
        let encoded = data_encoding::BASE64.encode(&bytes);
        assert_eq!(&*arrives(&event(&encoded, true)).await.2, &bytes, "bytes that are no text stay what they are");
    }
}
