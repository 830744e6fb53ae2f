//! Against moto, which checks every signature as AWS does.

use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::moto::{BUCKET, Moto};

#[test]
fn objects_are_written_listed_and_read_with_a_signature_that_aws_takes() {
    let moto = Moto::start();
    let home = Home::new();
    home.add_service("services/moto_s3.toml");
    home.connect("moto_s3", &moto.tls, &moto.credential);
    home.grant("cli", "moto_s3.*");
    let secret = moto.credential.split_once(':').expect("an id and a secret").1;
    let canaries = Canaries::new().plant("secret access key", secret.as_bytes());
    let bucket = format!("bucket={BUCKET}");
    for (key, text) in [("plain.txt", "hello"), ("a b/ü+1~.txt", "in folders, with odd names")] {
        let (key_word, text_word) = (format!("key={key}"), format!("text={text}"));
        let put = home.json(&["call", "moto_s3.objects.put", &bucket, &key_word, &text_word]);
        assert_eq!(put["status"], 200, "{put}");
        assert_eq!(moto.object(key).trim_end(), text, "as boto3 reads it");
        let got = home.json(&["call", "moto_s3.objects.get", &bucket, &key_word]);
        assert_eq!((&got["status"], got["body"].as_str()), (&200.into(), Some(text)), "{got}");
    }
    let words = ["call", "moto_s3.objects.list", &bucket, "list_type=2", "prefix=a b/"];
    let listed = home.json(&words);
    let body = listed["body"].as_str().expect("XML");
    assert!(body.contains("<KeyCount>1</KeyCount>"), "{body}");
    assert_clean(&canaries.find_in("all that was printed", &home.said()));

    // The control: moto does check. One letter more of the secret, and it refuses.
    let wrong = format!("{}x", moto.credential);
    let ca = moto.tls.ca();
    let (url, ca) = (moto.tls.base_url(), ca.to_str().expect("a plain path"));
    let given = ["connect", "moto_s3", "--base-url", &url, "--ca", ca, "--allow-loopback"];
    home.ok_with(&[&given[..], &["--from-stdin", "--replace"]].concat(), wrong.as_bytes());
    let refused = home.run(&["--json", "call", "moto_s3.objects.get", &bucket, "key=plain.txt"]);
    assert_eq!(refused.json()["status"], 403, "{}", refused.all());
}
