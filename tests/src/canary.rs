//! A word that stands nowhere but in what is hidden.

/// What all that is hidden has in it.
pub const CANARY: &str = "kanarienvogel";

/// Whether a text holds the canary, plainly or in base64 at any of its three places.
pub fn holds(text: &[u8]) -> bool {
    let encoded = (0..3).map(|shift| {
        let padded = [vec![b'x'; shift], CANARY.as_bytes().to_vec()].concat();
        let text = data_encoding::BASE64.encode(&padded);
        // Its ends depend on what stands beside it.
        text[4..text.len() - 4].to_owned()
    });
    let wanted: Vec<String> = encoded.chain([CANARY.to_owned()]).collect();
    let lower = text.to_ascii_lowercase();
    wanted.iter().any(|word| {
        let (text, word) =
            if word == CANARY { (&lower[..], word.as_bytes()) } else { (text, word.as_bytes()) };
        text.windows(word.len()).any(|window| window == word)
    })
}
