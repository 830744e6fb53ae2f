//! Homes with nodes in one process: entries of two logs arrive in every copy, under their checkpoints, while some die; one
//! that lies is cut off by whoever it speaks with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_ambient::{Clock, SeededRng, SystemClock};
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, WitnessKey, cosign, with_lines};
use symbolon_mesh::{Certificate, LogName, derive_endpoint};
use symbolon_node::{
    Address, Bounds, Config, Node, NodeConfig, NodeError, NodeFolder, NodeStatus, Order, Reach,
    Wire,
};
use symbolon_secret::Secret;
use symbolon_store::{FolderStorage, Home};
use tempfile::TempDir;

/// A home whose operator has a log.
struct Operator {
    _folder: TempDir,
    home: Home,
    key: Arc<SigningKey>,
    name: LogName,
    log: Log<FolderStorage>,
    written: u64,
    believes: Vec<WitnessKey>,
}

impl Operator {
    fn new(number: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let key = Arc::new(SigningKey::make(&SeededRng::new(number)));
        let origin = format!("operator-{number}.example/log");
        let name = LogName::new(&origin, key.verifying_key()).unwrap();
        let storage = FolderStorage::open(&home.log()).unwrap();
        let log = Log::open(storage, &origin, Some(key.clone())).unwrap();
        Self { _folder: folder, home, key, name, log, written: 0, believes: Vec::new() }
    }

    fn write(&mut self, count: u64) {
        for _ in 0..count {
            let entry = format!("entry {} of {}", self.written, self.name.origin());
            self.log.append(entry.as_bytes()).unwrap();
            self.written += 1;
        }
        self.log.commit().unwrap();
        self.log.checkpoint().unwrap();
    }

    async fn start(&self, follow: &[LogName], publish: bool) -> Node {
        self.try_start(follow, publish).await.unwrap()
    }

    async fn try_start(&self, follow: &[LogName], publish: bool) -> Result<Node, NodeError> {
        let endpoint = derive_endpoint(&self.key, 0);
        let now = SystemClock.unix_ms();
        let certificate =
            Certificate::sign(&self.key, endpoint.verifying_key(), now, now + 3_600_000).unwrap();
        let seed = endpoint.seed();
        let config = NodeConfig {
            seed: Secret::make(|page: &mut [u8; 32]| page.copy_from_slice(seed.expose())),
            certificate,
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            proxy: None,
            follow: follow.to_vec(),
            publish: publish.then(|| self.name.clone()),
            witnesses: self.believes.clone(),
        };
        Node::start(&self.home, config).await
    }

    fn join(&self, address: &Address) {
        NodeFolder::open(&self.home).unwrap().join(address).unwrap();
    }
}

async fn address(node: &Node) -> Address {
    until(node, "listening", |status| !status.listening.is_empty()).await;
    node.status().await.unwrap().listening[0].parse().unwrap()
}

async fn until(node: &Node, what: &str, is_so: impl Fn(&NodeStatus) -> bool) {
    let began = Instant::now();
    loop {
        let status = node.status().await.unwrap();
        if is_so(&status) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not {what}: {status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn has(status: &NodeStatus, operator: &Operator) -> bool {
    let id = operator.name.id().to_string();
    status.logs.iter().any(|log| log.id == id && log.entries == operator.written)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_witnesses_sign_later_spreads_through_those_who_believe_them() {
    let mut operators: Vec<Operator> = (20..24).map(Operator::new).collect();
    let key = SigningKey::make(&SeededRng::new(30));
    let witness = WitnessKey::new("north.example", key.verifying_key()).unwrap();
    // Three in a row, so that the last hears of it through the second; a fourth believes nobody.
    (1..3).for_each(|at| operators[at].believes.push(witness.clone()));
    operators[0].write(5);
    let name = operators[0].name.clone();
    let mut nodes = vec![operators[0].start(&[], true).await];
    for at in 1..4 {
        let joined = address(&nodes[if at == 2 { 1 } else { 0 }]).await;
        operators[at].join(&joined);
        nodes.push(operators[at].start(std::slice::from_ref(&name), false).await);
    }
    for node in &nodes[1..] {
        until(node, "the entries", |status| has(status, &operators[0])).await;
    }
    let folder = operators[0].home.log();
    let note = std::fs::read_to_string(folder.join("checkpoint")).unwrap();
    let line = cosign(&note, "north.example", &key, 1_790_000_000).unwrap();
    let cosigned = with_lines(&note, &line).unwrap();
    std::fs::write(folder.join("checkpoint.cosigned"), cosigned).unwrap();
    let seen = |status: &NodeStatus| (status.logs[0].cosigned, status.logs[0].witnesses);
    for node in &nodes[1..3] {
        until(node, "the witness", |status| seen(status) == (5, 1)).await;
    }
    assert_eq!(seen(&nodes[3].status().await.unwrap()), (0, 0));
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entry_arrives_in_every_copy_while_nodes_die() {
    let mut operators: Vec<Operator> = (0..10).map(Operator::new).collect();
    operators[0].write(700);
    operators[1].write(3);
    let names = [operators[0].name.clone(), operators[1].name.clone()];
    let mut nodes: Vec<Option<Node>> = Vec::new();
    let mut addresses = Vec::new();
    for (at, operator) in operators.iter().enumerate() {
        // Nobody is cut off from the rest by those who die.
        for other in [1, 2, 4].into_iter().filter_map(|back| at.checked_sub(back)) {
            operator.join(&addresses[other]);
        }
        let node = match at {
            0 => operator.start(&names[1..], true).await,
            1 => operator.start(&names[..1], true).await,
            _ => operator.start(&names, false).await,
        };
        addresses.push(address(&node).await);
        nodes.push(Some(node));
    }
    for node in nodes.iter().flatten() {
        let all = |status: &NodeStatus| operators[..2].iter().all(|it| has(status, it));
        until(node, "all that was there", all).await;
    }
    for dead in [3, 5, 8] {
        nodes[dead].take().unwrap().stop().await;
    }
    for _ in 0..5 {
        operators[0].write(40);
        operators[1].write(1);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    for node in nodes.iter().flatten() {
        let all = |status: &NodeStatus| operators[..2].iter().all(|it| has(status, it));
        until(node, "all that came", all).await;
        let status = node.status().await.unwrap();
        assert_eq!((&status.refused[..], &status.cut[..]), (&[][..], &[][..]), "{status:?}");
        assert!(status.accused.is_empty() && status.logs.iter().all(|log| !log.forked));
    }
    // One of the dead goes on where its copies end.
    let back = operators[3].start(&names, false).await;
    let all = |status: &NodeStatus| operators[..2].iter().all(|it| has(status, it));
    until(&back, "all that it missed", all).await;
    // Whose nodes the peers are was shown.
    until(&back, "introduced", |status| status.peers.iter().any(|it| it.operator.is_some())).await;
    let again = operators[3].try_start(&names, false).await;
    assert!(again.is_err_and(|error| error.to_string() == "the home's node runs already"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_liar_is_cut_off_by_whoever_it_speaks_with() {
    let (mut one, two) = (Operator::new(21), Operator::new(22));
    one.write(5);
    let publishing = one.start(&[], true).await;
    two.join(&address(&publishing).await);
    let reading = two.start(std::slice::from_ref(&one.name), false).await;
    until(&reading, "all that was there", |status| has(status, &one)).await;

    let topic = "symbolon/mesh/entries/v1";
    let config = Config {
        seed: Secret::make(|seed: &mut [u8; 32]| seed.fill(9)),
        listen: Vec::new(),
        reach: Reach::Loopback,
        proxy: None,
        topics: vec![topic.to_owned()],
        bounds: Bounds::default(),
    };
    let (liar, mut heard, _) = Wire::start(&config).unwrap();
    tokio::spawn(async move { while heard.recv().await.is_some() {} });
    liar.order(Order::Join(address(&reading).await)).await.unwrap();
    let name = liar.peer().to_string();
    let lies = tokio::spawn(async move {
        for number in 0u32.. {
            let bytes = [&number.to_be_bytes()[..], &[7; 200]].concat();
            let order = Order::Publish { topic: topic.to_owned(), bytes };
            if liar.order(order).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    until(&reading, "cut off", |status| status.cut.iter().any(|it| it.peer == name)).await;
    until(&reading, "gone", |status| status.peers.iter().all(|it| it.peer != name)).await;
    let status = reading.status().await.unwrap();
    assert!(status.refused.iter().all(|it| it.peer == name) && !status.refused.is_empty());
    // Nobody heard of it through a node that checks, and what is true goes on.
    let other = publishing.status().await.unwrap();
    assert!(other.refused.is_empty() && other.cut.is_empty(), "{other:?}");
    one.write(5);
    until(&reading, "all that came", |status| has(status, &one)).await;
    lies.abort();
}
