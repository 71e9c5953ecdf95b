//! Calls: what is guarded, and what every call has.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, response::Redirect, routing::get};
use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};

use super::*;

async fn serve(router: Router) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://user:hunter2@{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, tasks)
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let router = Router::new().route("/", get(|| async { Redirect::temporary("/elsewhere") }));
    let (base, _tasks) = serve(router).await;
    let response = client().unwrap().get(base).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 307);
}

#[tokio::test]
async fn a_body_is_read_up_to_its_cap() {
    let (base, _tasks) = serve(Router::new().route("/", get(|| async { "x".repeat(100_000) }))).await;
    let client = client().unwrap();
    let capped = read_capped(client.get(&base).send().await.unwrap(), 1_000).await.unwrap();
    assert_eq!((capped.0.len(), capped.1), (1_000, true));
    let whole = read_capped(client.get(&base).send().await.unwrap(), 100_000).await.unwrap();
    assert_eq!((whole.0.len(), whole.1), (100_000, false));
}

#[tokio::test]
async fn an_explanation_has_the_cause_and_not_the_url() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://user:hunter2@{taken}/?token=hunter3");
    let text = explain(client().unwrap().get(url).send().await.unwrap_err());
    assert!(text.contains("refused") && !text.contains("hunter") && !text.contains("token"), "{text}");
}

/// Each must be refused without a packet being sent.
const HOSTILE: &[&str] = &[
    // Loopback and unspecified, in every spelling that a URL parser takes for an address.
    "http://127.0.0.1/",
    "http://127.0.0.1:6379/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7F.0x0.0x0.0x1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0x0.0.1/",
    "http://127.0.0.1%2f@127.0.0.1/",
    "http://example.org@127.0.0.1/",
    "http://example.org:80@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1?@example.org/",
    "http://127.0.0.1\\@example.org/",
    "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
    "http://\u{2460}\u{2461}\u{2466}.0.0.1/",
    "http://127\u{3002}0\u{3002}0\u{3002}1/",
    "http://%31%32%37.0.0.1/",
    "http://12\t7.0.0.1/",
    "http:127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "https://127.0.0.1:8443/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    // Metadata services.
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    // Private, link-local, shared.
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://169.254.1.1/",
    "http://[fc00::1]/",
    "http://[fdff:ffff::1]/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fec0::1]/",
    // Everything else that nobody answers on in public.
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[2001:2::1]/",
    "http://[5f00::1]/",
    "http://[4000::1]/",
    // Addresses of IPv4 inside those of IPv6.
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b::10.1.2.3]/",
    "http://[64:ff9b:1::10.1.2.3]/",
    "http://[64:ff9b:1:fffe::]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
];

/// No URLs at all, or not of HTTP; none may be called either.
const UNUSABLE: &[&str] = &[
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1%25lo]/",
    "http://256.0.0.1/",
    "http://127.0.0.1.1/",
    "http://0x100000000/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "ftp://127.0.0.1/",
    "unix:/run/docker.sock",
    "//127.0.0.1/",
    "http:///",
];

fn guarded(allowed: &[&str]) -> Http {
    Http::guarded(Guard::new(allowed.iter().map(|net| net.parse().unwrap()).collect())).unwrap()
}

#[tokio::test]
async fn no_hostile_url_is_called() {
    assert!(HOSTILE.len() >= 60);
    let http = guarded(&[]);
    for url in HOSTILE {
        let error = http.send(http.post(*url)).await.unwrap_err();
        assert!(matches!(error, CallError::Refused(_)), "{url}: {error}");
        let text = error.to_string();
        assert!(text.contains("outbound.allow_private"), "{text}");
    }
    for url in UNUSABLE {
        assert!(http.send(http.post(*url)).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn names_of_this_machine_are_refused_in_every_spelling() {
    let http = guarded(&[]);
    for host in ["localhost", "LOCALHOST", "localhost.", "%6cocalhost", "\u{24db}ocalhost"] {
        let error = http.send(http.post(format!("http://{host}:9/"))).await.unwrap_err();
        assert!(matches!(error, CallError::Refused(_)), "{host}: {error:?}");
    }
}

#[test]
fn public_addresses_pass_and_those_on_the_list() {
    let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()]);
    let public =
        ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"];
    let listed = ["10.1.2.3", "fd12::7", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"];
    for host in public.iter().chain(&listed) {
        assert_eq!(guard.check_host(host), Ok(()), "{host}");
    }
    for host in ["10.2.0.1", "fd13::7", "127.0.0.1"] {
        assert!(guard.check_host(host).is_err(), "{host}");
    }
}

/// A name server that gives each question for an address of IPv4 the next answer.
async fn name_server(answers: Vec<Vec<Ipv4Addr>>) -> (SocketAddr, Arc<AtomicUsize>, JoinSet<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, mut tasks) = (asked.clone(), JoinSet::new());
    tasks.spawn(async move {
        let mut packet = [0; 512];
        loop {
            let (length, peer) = socket.recv_from(&mut packet).await.unwrap();
            // RFC 1035 §4.1: a header of 12 bytes, then the question: labels, type and class.
            let labels = packet[12..length].iter().position(|byte| *byte == 0).unwrap();
            let question = &packet[12..12 + labels + 5];
            let is_a = question[labels + 2] == 1;
            let number = if is_a { count.fetch_add(1, Ordering::Relaxed) } else { 0 };
            let addresses = if is_a { answers[number % answers.len()].as_slice() } else { &[] };
            let mut answer = packet[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::try_from(addresses.len()).unwrap(), 0, 0, 0, 0]);
            answer.extend_from_slice(question);
            for address in addresses {
                // The name of the question, type A, class IN, to be kept for 0 seconds, 4 bytes.
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
                answer.extend(address.octets());
            }
            socket.send_to(&answer, peer).await.unwrap();
        }
    });
    (address, asked, tasks)
}

/// Counts its connections.
fn counting(listener: TcpListener, tasks: &mut JoinSet<()>) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let router = Router::new().fallback(move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        [("connection", "close")]
    });
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    seen
}

#[tokio::test]
async fn a_name_that_changes_its_address_never_leads_inside() {
    const GOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    const INSIDE: Ipv4Addr = Ipv4Addr::LOCALHOST;
    let mut tasks = JoinSet::new();
    let inside = TcpListener::bind((INSIDE, 0)).await.unwrap();
    let port = inside.local_addr().unwrap().port();
    let good = TcpListener::bind((GOOD, port)).await.unwrap();
    let (inside, good) = (counting(inside, &mut tasks), counting(good, &mut tasks));

    let changing = vec![vec![GOOD], vec![INSIDE], vec![INSIDE, GOOD], vec![GOOD, INSIDE]];
    let (server, asked, _server) = name_server(changing).await;
    let guard = Guard::asking(vec!["127.0.0.2/32".parse().unwrap()], server);
    let http = Http::guarded(guard).unwrap();
    let (mut answered, mut refused) = (0, 0);
    for call in 0..40 {
        let url = format!("http://rebind{call}.example:{port}/");
        match http.send(http.post(url)).await {
            Ok(_) => answered += 1,
            Err(CallError::Refused(error)) => {
                assert!(error.to_string().contains("127.0.0.1"), "{error}");
                refused += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((answered, refused), (30, 10));
    assert_eq!((good.load(Ordering::Relaxed), inside.load(Ordering::Relaxed)), (30, 0));
    assert_eq!(asked.load(Ordering::Relaxed), 40, "each call looks its name up once");
}

#[tokio::test]
async fn who_connects_by_other_means_gets_the_addresses_that_were_checked() {
    let (server, _, _tasks) = name_server(vec![vec![Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)]]).await;
    let http = Http::guarded(Guard::asking(vec!["127.0.0.2/32".parse().unwrap()], server)).unwrap();
    assert_eq!(http.hosts("relay.example").await.unwrap(), ["127.0.0.2"]);
    assert_eq!(http.hosts("127.0.0.2").await.unwrap(), ["127.0.0.2"]);
    assert!(matches!(http.hosts("127.0.0.1").await, Err(LookupError::Refused(_))));
    assert_eq!(Http::open().unwrap().hosts("relay.example").await.unwrap(), ["relay.example"]);
}

#[tokio::test]
async fn a_proxy_of_a_tenants_is_guarded_as_well() {
    let taken: IpAddr = Ipv4Addr::LOCALHOST.into();
    for proxy in [format!("http://{taken}:1/"), format!("socks5://user:hunter2@{taken}:1/")] {
        let error = guarded(&[]).through(&proxy.parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("outbound.allow_private") && !error.contains("hunter2"), "{error}");
    }
    let http = guarded(&[]).through(&"http://localhost:1/".parse().unwrap()).unwrap();
    let error = http.send(http.post("http://example.org/")).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn a_redirect_inside_is_not_followed_for_a_tenant_either() {
    let (base, _tasks) =
        serve(Router::new().route("/", get(|| async { Redirect::temporary("http://10.0.0.1/") }))).await;
    let http = guarded(&["127.0.0.0/8"]);
    let response = http.send(http.request(Method::GET, base)).await.unwrap();
    assert_eq!(response.status().as_u16(), 307);
}
