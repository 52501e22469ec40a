//! `codementor submit --show-prompt`: what a model would be sent. Nothing is.

use codementor_protocol::{FeedbackPolicy, Prompt, ShowPrompt};
use serde::Deserialize;

use crate::args;
use crate::commands::{Context, submit};
use crate::error::{CliError, ExitStatus};
use crate::sanitize;

pub(crate) async fn run(context: &Context, args: &args::Submit) -> Result<ExitStatus, CliError> {
    let mut session = None;
    let (problem, package, chosen) = submit::choose(context, &args.program, &mut session).await?;
    let session = session.as_mut().ok_or(CliError::NoSubmissions)?;
    let request = ShowPrompt {
        problem,
        package,
        language: chosen.language,
        files: chosen.files,
        answer_in: submit::answer_in(context),
        assignment: submit::assignment(&args.program)?,
    };
    let prompt = match session.request(&request).await {
        Ok(prompt) => prompt,
        Err(error) => return Err(submit::explain(session, error, &request.problem).await),
    };
    if args.following.json {
        context.print_json(&prompt)?;
        return Ok(ExitStatus::Success);
    }
    context.progress.note(&whom(&prompt));
    match context.terminal.out_tty {
        true => context.print(&readable(&prompt.body))?,
        // Byte for byte what would be sent.
        false => context.print(&format!("{}\n", sanitize::json(&prompt.body)))?,
    }
    Ok(ExitStatus::Success)
}

fn whom(prompt: &Prompt) -> String {
    let to = match (prompt.policy, prompt.endpoints.is_empty()) {
        (FeedbackPolicy::Off, _) => t!("the rules allow no feedback, so that this is never sent").into(),
        (_, true) => t!("no model is set up, so that this is not sent").into(),
        (_, false) => {
            t!("this would be sent to {endpoints}", endpoints = prompt.endpoints.join(t!(", or else to ")))
        }
    };
    t!("{to}; nothing was sent now", to)
}

/// The request as a person reads it: the texts as texts, the rest as it is.
fn readable(body: &str) -> String {
    #[derive(Deserialize)]
    struct Message {
        role: String,
        content: String,
    }
    let parsed: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(body).ok();
    let Some(mut rest) = parsed else { return format!("{}\n", sanitize::text(body)) };
    let messages = rest.get("messages").cloned().and_then(|value| serde_json::from_value(value).ok());
    let messages: Vec<Message> = messages.unwrap_or_default();
    if !messages.is_empty() {
        rest.remove("messages");
    }
    let mut text = format!("{}\n", sanitize::json(&serde_json::Value::Object(rest).to_string()));
    for message in messages {
        let content = sanitize::text(message.content.trim_end()).into_owned();
        text.push_str(&format!("\n-- {} --\n{content}\n", sanitize::line(&message.role)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_the_texts_and_no_escape() {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"Be\nkind."},{"role":"user","content":"\u001b[2J합"}],"stream":true}"#;
        assert_eq!(
            readable(body),
            "{\"model\":\"m\",\"stream\":true}\n\n-- system --\nBe\nkind.\n\n-- user --\n\\x1b[2J합\n"
        );
        assert_eq!(readable("not json\x1b"), "not json\\x1b\n");
    }

    #[test]
    fn it_is_said_that_nothing_was_sent_and_to_whom_it_would_be() {
        let whom = |policy, endpoints: &[&str]| {
            let endpoints = endpoints.iter().map(|name| (*name).to_owned()).collect();
            whom(&Prompt { policy, endpoints, body: String::new() })
        };
        assert_eq!(
            whom(FeedbackPolicy::Hints, &["one", "two"]),
            "this would be sent to one, or else to two; nothing was sent now"
        );
        for said in [whom(FeedbackPolicy::Full, &[]), whom(FeedbackPolicy::Off, &["one"])] {
            assert!(said.ends_with("nothing was sent now") && !said.contains("would"), "{said}");
        }
    }
}
