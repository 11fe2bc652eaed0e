//! Accepts connections, and answers one request after another on each.

use std::{collections::VecDeque, net, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::Notify,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

use super::{
    State,
    fault::Fault,
    http::{self, Response},
    request::Recorded,
    route::{self, Answer},
    silent_watch::SilentWatch,
    status,
    stream::{self, Measure},
    wire::{Ending, Stream, Wire},
};
use crate::harness::{
    exec::{self, Reply},
    forward, run,
    wait::Watched,
};

/// Serves until told to stop.
pub fn run(socket: net::TcpListener, tls: Option<TlsAcceptor>, state: Arc<Watched<State>>, stop: &Notify) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        socket.set_nonblocking(true).expect("a socket that does not block");
        let socket = TcpListener::from_std(socket).expect("a listening socket");
        let accept = async {
            for number in 0.. {
                let Ok((tcp, _)) = socket.accept().await else { return };
                tokio::spawn(connection(tcp, tls.clone(), Arc::clone(&state), number));
            }
        };
        tokio::select! { () = accept => {}, () = stop.notified() => {} }
    });
    runtime.shutdown_background();
}

async fn connection(tcp: TcpStream, tls: Option<TlsAcceptor>, state: Arc<Watched<State>>, number: usize) {
    let wire = Wire::new(tcp);
    let ending = wire.ending();
    if state.with(|state| state.silent) {
        std::future::pending::<()>().await;
    }
    let Some(tls) = tls else { return Connection { state, ending, number, certificate: false }.serve(wire).await };
    // A handshake that fails is the client's to complain about.
    if let Ok(stream) = tls.accept(wire).await {
        let certificate = stream.get_ref().1.peer_certificates().is_some();
        Connection { state, ending, number, certificate }.serve(stream).await;
    }
}

/// One connection.
struct Connection {
    state: Arc<Watched<State>>,
    ending: Ending,
    number: usize,
    certificate: bool,
}

/// What becomes of a connection after a request.
enum Next {
    /// It waits for the next request.
    KeepAlive,
    /// It ends.
    End,
    /// It becomes an exec session.
    Session(Box<exec::Session>),
    /// It becomes a port-forward.
    Forward(forward::Session),
    /// It becomes a watch over WebSocket.
    Watch(SilentWatch),
}

impl Connection {
    async fn serve(self, mut stream: impl Stream) {
        let mut buffer = Vec::new();
        while let Ok(Some(head)) = http::read_request(&mut stream, &mut buffer).await {
            let request = Recorded::new(head, self.number, self.certificate);
            self.state.with(|state| state.requests.push(request.clone()));
            match self.answer(&request, &mut stream).await {
                Next::KeepAlive => {}
                Next::End => return,
                Next::Session(session) => return self.play(*session, stream, buffer).await,
                Next::Forward(session) => return self.forward(session, stream, buffer).await,
                Next::Watch(watch) => return watch.serve(stream).await,
            }
        }
    }

    /// Answers one request, or lets it meet its faults.
    async fn answer(&self, request: &Recorded, stream: &mut impl Stream) -> Next {
        let mut faults: VecDeque<Fault> = self.state.with(|state| {
            let mut faults = VecDeque::new();
            for planned in &mut state.faults {
                let Some(fault) = planned.strike(request) else { continue };
                let late = matches!(fault, Fault::Delay(_));
                faults.push_back(fault);
                if !late {
                    break;
                }
            }
            faults
        });
        let (mut answer, mut breaks) = (None, None);
        while let Some(fault) = faults.pop_front() {
            match fault {
                Fault::Delay(duration) => sleep(duration).await,
                Fault::Respond(response) => return respond(&response, stream).await,
                Fault::Close => return Next::End,
                Fault::Reset => {
                    self.ending.reset();
                    return Next::End;
                }
                Fault::Blackhole => std::future::pending::<()>().await,
                Fault::CutBody(_) | Fault::AfterLines(..) => breaks = fault.breaks(),
                Fault::CarriedOut(then) => {
                    answer = Some(self.answer_of_objects(request));
                    faults.push_front(*then);
                }
            }
        }
        if let (None, Some((namespace, pod))) = (&answer, route::forward_target(&request.path)) {
            match self.port_forward(request, namespace, pod) {
                Ok(session) => return Next::Forward(session),
                Err(response) => return respond(&response, stream).await,
            }
        }
        if let Some(watch) = SilentWatch::of(request, self.state.with(|state| state.cut)) {
            return Next::Watch(watch);
        }
        let answer = match (answer, route::session_target(&request.path)) {
            (Some(answer), _) => answer,
            (None, Some((namespace, pod))) => match self.session(request, namespace, pod) {
                Ok(session) => return Next::Session(Box::new(session)),
                Err(response) => Answer::Whole(response),
            },
            (None, None) => self.answer_of_objects(request),
        };
        match (answer, breaks) {
            (Answer::Whole(response), None) => respond(&response, stream).await,
            (Answer::Whole(response), Some(breaks)) => self.cut(request, response, breaks.after, stream).await,
            (Answer::Feed(feed), breaks) => {
                match stream::deliver(feed, breaks, &self.state, stream, &self.ending).await {
                    Ok(true) => Next::KeepAlive,
                    _ => Next::End,
                }
            }
        }
    }

    /// Cuts an answer short that is no stream.
    async fn cut(&self, request: &Recorded, mut response: Response, after: Measure, stream: &mut impl Stream) -> Next {
        let Measure::Bytes(length) = after else {
            self.state.with(|state| state.complaints.push(format!("no stream, so it has no lines: {request}")));
            return respond(&response, stream).await;
        };
        response.missing = response.body.len().saturating_sub(length);
        response.body.truncate(length);
        let _ = response.write(stream).await;
        // The bytes that count arrive before the reset.
        sleep(Duration::from_millis(50)).await;
        self.ending.reset();
        Next::End
    }

    fn answer_of_objects(&self, request: &Recorded) -> Answer {
        let (answer, started) = self.state.with(|state| {
            let answer = route::answer(request, state).unwrap_or_else(|| {
                state.complaints.push(format!("unexpected request: {request}"));
                Answer::Whole(Response::json(404, &status::no_such_path()))
            });
            (answer, std::mem::take(&mut state.started))
        });
        for (run, job) in started {
            tokio::spawn(run::play(run, job, Arc::clone(&self.state)));
        }
        answer
    }

    /// The session that was scripted for this exec, or how it is refused.
    fn session(&self, request: &Recorded, namespace: &str, pod: &str) -> Result<exec::Session, Response> {
        self.state.with(|state| {
            let Some(scripted) = state.execs.iter_mut().find(|scripted| scripted.matches(&request.path, pod)) else {
                if state.store.objects().get("pods", namespace, pod).is_none() {
                    return Err(Response::json(404, &status::not_found("pods", pod)));
                }
                state.complaints.push(format!("unexpected exec: {request}"));
                return Err(Response::json(500, &status::internal_error("this exec was not scripted")));
            };
            match scripted.take() {
                Reply::Refuse(response) => Err(response),
                Reply::Play(script) => exec::Session::open(request, namespace, pod, script).inspect(|session| {
                    state.sessions.push(session.record());
                }),
            }
        })
    }

    /// The port-forward a test expects in this pod, or how it is refused.
    fn port_forward(&self, request: &Recorded, namespace: &str, pod: &str) -> Result<forward::Session, Response> {
        self.state.with(|state| {
            if state.store.objects().get("pods", namespace, pod).is_none() {
                return Err(Response::json(404, &status::not_found("pods", pod)));
            }
            match state.forwards.iter().find(|forward| forward.matches(pod)) {
                Some(forward) => forward::Session::open(request, pod, forward.clone()),
                None => {
                    state.complaints.push(format!("unexpected port-forward: {request}"));
                    Err(Response::json(500, &status::internal_error("this port-forward was not scripted")))
                }
            }
        })
    }

    async fn forward(&self, session: forward::Session, stream: impl Stream, early: Vec<u8>) {
        let state = Arc::clone(&self.state);
        let records = move |change: &mut dyn FnMut(&mut Vec<forward::Forwarded>)| {
            state.with(|state| change(&mut state.forwarded));
        };
        match session.serve(stream, early, &records).await {
            Ok(forward::Ended::HungUp) => {}
            Ok(forward::Ended::Reset) => self.ending.reset(),
            Err(complaint) => self.state.with(|state| state.complaints.push(complaint)),
        }
    }

    async fn play(&self, session: exec::Session, stream: impl Stream, early: Vec<u8>) {
        let id = session.record().id;
        let state = Arc::clone(&self.state);
        let record = move |change: &mut dyn FnMut(&mut exec::ExecRecord)| {
            state.with(|state| {
                if let Some(record) = state.sessions.iter_mut().find(|record| record.id == id) {
                    change(record);
                }
            });
        };
        let ending = self.ending.clone();
        if let Err(complaint) = session.play(stream, early, &record, move || ending.reset()).await {
            self.state.with(|state| state.complaints.push(complaint));
        }
        record(&mut |record| record.finished = Some(record.started.elapsed()));
    }
}

async fn respond(response: &Response, stream: &mut impl Stream) -> Next {
    match response.write(stream).await {
        Ok(()) => Next::KeepAlive,
        Err(_) => Next::End,
    }
}
