//! The client against scripted bytes: all ways to answer, to fail, to be tried again, and to be left.

mod faults;
mod requests;
mod retries;
mod streams;

use std::time::{Duration, Instant};

use codementor_test_model::{ModelServer, Script};

use super::*;
use crate::feedback::settings::{Endpoint, Price};

/// Longer than anything takes that goes well.
const LONG: Duration = Duration::from_secs(20);
/// For what is to run into a limit of time.
const SHORT: Duration = Duration::from_millis(150);

const PATIENT: Pace = Pace { connect: LONG, idle: LONG, backoff: Duration::from_millis(5) };

fn messages() -> Messages {
    Messages { system: "You are a tutor.".into(), user: "print(1)".into() }
}

fn endpoint(name: &str, url: &str) -> Endpoint {
    let url = url.parse().expect("the server's url is one");
    Endpoint { patience: LONG, ..Endpoint::new(name, url, "scripted".into()) }
}

fn models(server: &ModelServer) -> Models {
    Models::with_pace(vec![endpoint("one", &server.url())], PATIENT)
}

/// Asks; returns what came of it and what went to the sink meanwhile.
async fn ask_within(models: &Models, time: Duration) -> (Result<Answer, AskError>, String) {
    let mut seen = String::new();
    let outcome =
        models.ask(&messages(), Instant::now() + time, &Meter::default(), &mut |text| seen += text).await;
    (outcome, seen)
}

async fn ask(models: &Models) -> (Result<Answer, AskError>, String) {
    ask_within(models, LONG).await
}

/// What one script comes to.
async fn play(script: Script) -> (Result<Answer, AskError>, String) {
    let server = ModelServer::playing([script]);
    ask(&models(&server)).await
}
