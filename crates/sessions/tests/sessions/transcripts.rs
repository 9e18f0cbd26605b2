use std::path::Path;

use perennial_testkit::transcript;

#[tokio::test(flavor = "multi_thread")]
async fn every_transcript_plays_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sessions");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "the transcripts are gone");
    let only = std::env::var("ONLY").unwrap_or_default();
    for file in files.iter().filter(|file| file.to_string_lossy().contains(&only)) {
        transcript::play(file).await;
    }
}
