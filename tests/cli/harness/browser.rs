//! A headless Chromium, driven by its DevTools protocol: the page as a person gets it.

use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use super::wait::poll_until;

/// How long Chromium may take to start, on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// For [`Browser::before_pages`]: `painted(text)` is the time, in milliseconds since 1970, at which the page has painted a
/// text that it shows. `first` holds the times at which the first data came and the roles were painted.
pub const PAINTED: &str = r##"
window.painted = (text) => new Promise((done) => {
  const look = () => document.body?.innerText.includes(text)
    ? requestAnimationFrame(() => setTimeout(() => done(Date.now())))
    : requestAnimationFrame(look);
  look();
});
window.first = {};
const Source = EventSource;
window.EventSource = class extends Source {
  constructor(...all) {
    super(...all);
    this.addEventListener("status", () => { first.data ??= performance.now(); });
  }
};
const look = () => document.querySelector(".roles")
  ? requestAnimationFrame(() => setTimeout(() => { first.paint = performance.now(); }))
  : requestAnimationFrame(look);
look();
"##;

/// The contrast of each text to what is behind it, as WCAG 2 counts it.
const CONTRASTS: &str = r##"(() => {
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => parts(color).slice(0, 3).map((it) => it / 255)
    .map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4))
    .reduce((sum, it, index) => sum + it * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return (parts(color)[3] ?? 1) > 0 ? color : behind(element.parentElement);
  };
  const faded = (element) => element && (getComputedStyle(element).opacity !== "1" || faded(element.parentElement));
  return [...document.querySelectorAll("body *:not(script, style)")]
    .filter((it) => [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && it.getClientRects().length)
    .map((it) => {
      const [a, b] = [light(getComputedStyle(it).color), light(behind(it))].sort((one, other) => other - one);
      return { text: it.textContent.slice(0, 40), ratio: faded(it) ? 0 : (a + 0.05) / (b + 0.05) };
    });
})()"##;

/// The smallest: what a busy machine does not make worse.
pub fn quickest(numbers: Vec<f64>) -> f64 {
    numbers.into_iter().fold(f64::INFINITY, f64::min)
}

/// A browser with one page; both go with this value.
pub struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    number: u64,
    /// What the page complained of: exceptions, refused resources, policies that were broken.
    complaints: Vec<String>,
    _directory: TempDir,
}

impl Browser {
    /// Starts it with a window of that size. Chromium is a Debian package that `tests/setup` installs.
    #[track_caller]
    pub fn start(width: u32, height: u32) -> Self {
        let directory = tempfile::Builder::new().prefix("kdj-chromium-").tempdir().expect("a temporary directory");
        let profile = directory.path().join("profile");
        let child = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-sync", "--disable-component-update"])
            .args(["--remote-debugging-port=0", "--hide-scrollbars", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .env("HOME", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts: tests/setup installs it");
        let announced = profile.join("DevToolsActivePort");
        let (port, path) = poll_until("chromium to listen", START, || {
            let text = fs::read_to_string(&announced).ok()?;
            let (port, path) = text.split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.trim().to_owned()))
        });
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("chromium takes connections");
        stream.set_read_timeout(Some(ANSWER)).expect("a time limit");
        let address = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tungstenite::client(address, stream).expect("chromium speaks WebSocket");
        let mut browser =
            Self { child, socket, session: None, number: 0, complaints: Vec::new(), _directory: directory };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        // One as narrow as a phone's is a phone's.
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
        browser
    }

    /// As with a dark or a light desktop.
    pub fn prefer(&mut self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", json!({"features": [feature]}));
    }

    /// Runs this code in each page that is opened from now on, before the page's own.
    pub fn before_pages(&mut self, code: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": code}));
    }

    /// Opens an address, as if it was typed.
    #[track_caller]
    pub fn open(&mut self, address: &str) {
        let answer = self.call("Page.navigate", json!({"url": address}));
        assert!(answer.get("errorText").is_none(), "{answer}");
    }

    /// What an expression comes to.
    #[track_caller]
    pub fn eval(&mut self, code: &str) -> Value {
        let mut answer = self.call(
            "Runtime.evaluate",
            json!({"expression": code, "returnByValue": true, "awaitPromise": true, "userGesture": true}),
        );
        assert!(answer.get("exceptionDetails").is_none(), "{code}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true, or is what is waited for.
    #[track_caller]
    pub fn wait(&mut self, code: &str) -> Value {
        let end = Instant::now() + ANSWER;
        loop {
            let value = self.eval(code);
            if !matches!(value, Value::Null | Value::Bool(false)) && value != json!("") {
                return value;
            }
            if Instant::now() > end {
                panic!("waited in vain for {code}; the page is\n{}", self.text());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page shows this text.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait(&format!("document.body?.innerText.includes({})", json!(text)));
    }

    /// What the page shows, as text.
    #[track_caller]
    pub fn text(&mut self) -> String {
        self.eval("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key: `Tab`, `Enter`, `Escape`.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            other => panic!("no such key is known: {other}"),
        };
        let press = json!({
            "type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text,
        });
        self.call("Input.dispatchKeyEvent", press);
        self.call("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key, "code": key}));
    }

    /// Text can be told from what is behind it, on a light and on a dark desktop.
    #[track_caller]
    pub fn expect_contrast(&mut self) {
        for scheme in ["light", "dark"] {
            self.prefer(scheme);
            let contrasts = self.eval(CONTRASTS);
            let poor: Vec<&Value> =
                contrasts.as_array().into_iter().flatten().filter(|it| it["ratio"].as_f64() < Some(4.5)).collect();
            assert!(poor.is_empty() && contrasts.as_array().is_some_and(|all| all.len() > 20), "{scheme}: {poor:?}");
        }
    }

    /// A picture of what the window shows.
    pub fn picture(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"}));
        STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("a picture in base64")
    }

    /// What the page has complained of so far.
    pub fn complaints(&mut self) -> &[String] {
        // What was said before is there once this is answered.
        self.eval("0");
        &self.complaints
    }

    /// A call to the browser, not to its page.
    #[track_caller]
    pub fn call_browser(&mut self, method: &str, parameters: Value) -> Value {
        let session = self.session.take();
        let answer = self.call(method, parameters);
        self.session = session;
        answer
    }

    /// One call of the protocol.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).expect("chromium takes a message");
        loop {
            let message = self.socket.read().expect("chromium answers");
            let Message::Text(text) = message else { continue };
            let mut message: Value = serde_json::from_str(&text).expect("JSON");
            if message["id"] == self.number {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
            match message["method"].as_str() {
                Some("Runtime.exceptionThrown") => self.complaints.push(message["params"].to_string()),
                Some("Log.entryAdded") if message["params"]["entry"]["level"] == "error" => {
                    self.complaints.push(message["params"]["entry"].to_string());
                }
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        let _ = self.socket.send(Message::text(json!({"id": 0, "method": "Browser.close"}).to_string()));
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
