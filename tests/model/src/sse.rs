//! What OpenAI-compatible endpoints stream.

use serde_json::{Value, json};

use crate::Script;

/// The bytes of an event with this data.
pub fn event(data: &str) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// A chunk with these choices.
pub fn chunk(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": "scripted",
        "choices": choices,
    })
}

impl Script {
    /// The head of a stream.
    pub fn sse() -> Self {
        Self::new(200).header("content-type", "text/event-stream; charset=utf-8")
    }

    /// A whole and right answer: the text in pieces of some words, the finish reason, the usage and `[DONE]`.
    pub fn answer(text: &str) -> Self {
        let words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
        let mut script = Self::sse().role();
        for piece in words.chunks(4) {
            script = script.delta(&piece.concat());
        }
        script.finish("stop").usage(text.len() as u64 / 4 + 10, text.len() as u64 / 4 + 1).done()
    }

    /// The first chunk, which holds a role and no text.
    pub fn role(self) -> Self {
        self.event(&chunk(json!([{
            "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null
        }])))
    }

    /// A chunk of text.
    pub fn delta(self, text: &str) -> Self {
        self.event(&chunk(json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }])))
    }

    /// The chunk that says why the text ended, such as `stop` or `length`.
    pub fn finish(self, reason: &str) -> Self {
        self.event(&chunk(json!([{ "index": 0, "delta": {}, "finish_reason": reason }])))
    }

    /// The chunk of usage, which has no choices.
    pub fn usage(self, input: u64, output: u64) -> Self {
        let mut body = chunk(json!([]));
        body["usage"] =
            json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        self.event(&body)
    }

    /// An event of this JSON.
    pub fn event(self, body: &Value) -> Self {
        self.send(event(&body.to_string()))
    }

    /// An error in the middle of a stream that began with 200.
    pub fn stream_error(self, code: Value, message: &str) -> Self {
        self.event(&json!({ "error": { "message": message, "type": "server_error", "code": code } }))
    }

    /// A comment, by which endpoints keep a connection open.
    pub fn comment(self, text: &str) -> Self {
        self.send(format!(": {text}\n\n"))
    }

    /// The event that says that all was said.
    pub fn done(self) -> Self {
        self.send(event("[DONE]"))
    }
}
