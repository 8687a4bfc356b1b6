//! `files.*`: the upload in three steps (ask for a URL, send the bytes, complete).

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, ApiError, Context};
use crate::playground::Playground;
use crate::playground::message::Author;
use crate::playground::records::StoredFile;

pub(super) fn get_upload_url(context: &mut Context<'_>) -> Answer {
    let name = context.args.text("filename").ok_or(ApiError::from("invalid_arguments"))?.to_owned();
    let length = context.args.number("length").ok().flatten().filter(|n| *n > 0);
    let expected = length.ok_or(ApiError::from("invalid_arguments"))?;
    let id = context.state.id("F");
    context.state.files.insert(id.clone(), StoredFile { name, expected, arrived: false, content: None });
    Ok(json!({ "upload_url": format!("{}/upload/{id}", context.state.base_url), "file_id": id }))
}

pub(super) fn complete_upload(context: &mut Context<'_>) -> Answer {
    let files = context.args.json("files").map_err(|()| ApiError::from("invalid_arguments"))?;
    let files = files.and_then(|files| files.as_array().cloned()).unwrap_or_default();
    if files.is_empty() {
        return Err("invalid_arguments".into());
    }
    let mut shown = Vec::new();
    for file in &files {
        shown.push(file_object(context, file["id"].as_str().unwrap_or_default(), file["title"].as_str())?);
    }
    if let Some(channel) = context.args.text("channel_id").or_else(|| context.args.text("channels")) {
        let channel = channel.to_owned();
        let known = context.state.channel(&channel).ok_or(ApiError::from("channel_not_found"))?;
        if known.archived {
            return Err("is_archived".into());
        }
        if !known.has_bot {
            return Err("not_in_channel".into());
        }
        let comment = context.args.text("initial_comment").unwrap_or_default().to_owned();
        let mut message = context.state.draft(&channel, Author::App, &comment);
        message.files.clone_from(&shown);
        message.thread_ts = context.args.text("thread_ts").map(str::to_owned);
        context.state.put(message);
    }
    Ok(json!({ "files": shown }))
}

pub(super) fn info(context: &mut Context<'_>) -> Answer {
    let id = context.args.text("file").unwrap_or_default().to_owned();
    Ok(json!({ "file": file_object(context, &id, None)? }))
}

fn file_object(context: &Context<'_>, id: &str, title: Option<&str>) -> Result<Value, ApiError> {
    let file = context.state.files.get(id).ok_or(ApiError::from("file_not_found"))?;
    if !file.arrived {
        return Err("file_not_found".into());
    }
    let kind = file.name.rsplit_once('.').map_or("text", |(_, end)| end).to_ascii_lowercase();
    let name: String = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC).collect();
    let url = format!("{}/files/{id}/{name}", context.state.base_url);
    Ok(json!({
        "id": id, "name": file.name, "title": title.unwrap_or(&file.name), "filetype": kind, "size": file.expected,
        "mode": "hosted", "user": context.state.workspace.app.user_id, "url_private": url, "url_private_download": url,
        "permalink": url,
    }))
}

/// Takes the bytes for an upload URL: raw, or the first file of a multipart form. `Err` is what the sender is told.
pub(in crate::playground) fn take_upload(
    playground: &Playground,
    id: &str,
    kind: &str,
    body: &Bytes,
) -> Result<usize, &'static str> {
    let content = match kind.split_once("boundary=") {
        Some((_, boundary)) => multipart(body, boundary.trim_matches('"')).ok_or("the multipart form has no file")?,
        None => body.clone(),
    };
    let announced =
        playground.with(|state| state.files.get(id).map(|file| file.expected)).ok_or("no such upload URL")?;
    if content.len() != announced {
        return Err("the length is not the one that was asked for");
    }
    let kept = playground.config().files_dir.as_ref().is_some_and(|folder| {
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join(id), &content));
        if let Err(error) = &written {
            tracing::warn!(%error, "an uploaded file cannot be kept; its link will not survive a restart");
        }
        written.is_ok()
    });
    playground.with(|state| {
        if let Some(file) = state.files.get_mut(id) {
            file.arrived = true;
            file.content = (!kept).then_some(content);
        }
    });
    Ok(announced)
}

/// The content of the first part that names a file.
fn multipart(body: &Bytes, boundary: &str) -> Option<Bytes> {
    let marker = format!("--{boundary}");
    let find = |from: usize, what: &[u8]| memchr::memmem::find(&body[from..], what).map(|at| from + at);
    let mut at = find(0, marker.as_bytes())?;
    loop {
        let head = at + marker.len();
        let start = find(head, b"\r\n\r\n")? + 4;
        let end = find(start, format!("\r\n{marker}").as_bytes())?;
        if memchr::memmem::find(&body[head..start], b"filename").is_some() {
            return Some(body.slice(start..end));
        }
        at = end + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_multipart_form_is_found() {
        let form = "--b1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b1\r\n\
                    Content-Disposition: form-data; name=\"filename\"; filename=\"a.csv\"\r\n\r\na,b\r\n1,2\r\n--b1--\r\n";
        let body = Bytes::from(form);
        assert_eq!(multipart(&body, "b1").unwrap(), "a,b\r\n1,2");
        assert_eq!(multipart(&body, "b2"), None);
    }
}
