//! The local side: one port, on the loopback addresses of both families or where `--address` says.

use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    task::Poll,
};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{owner, target::Local};
use crate::error::{Error, Result};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How far the next free port is looked for.
const NEIGHBOURS: u16 = 100;
/// How often a port that is free in one family is looked for in both.
const TRIES: u16 = 20;

/// Both loopback addresses.
pub const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// What listens, all on one port.
#[derive(Debug)]
pub struct Listeners {
    /// One for each address.
    pub all: Vec<TcpListener>,
    /// The port.
    pub port: u16,
    /// That it is another port than the usual one, and why.
    pub note: Option<String>,
}

impl Listeners {
    /// The next connection on any of them.
    ///
    /// # Errors
    /// When the system has no room for one more.
    pub async fn accept(&self) -> io::Result<TcpStream> {
        accept(&self.all).await
    }
}

/// The next connection on any of them.
pub(super) async fn accept(listeners: &[TcpListener]) -> io::Result<TcpStream> {
    poll_fn(|cx| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted.map(|(stream, _)| stream));
            }
        }
        Poll::Pending
    })
    .await
}

/// Listens on `addresses`: at the `usual` port or the next free one, or where `local` says.
///
/// # Errors
/// When the port asked for is in use, privileged, or an address is not this machine's.
pub fn listen(addresses: &[IpAddr], local: Local, usual: u16) -> Result<Listeners> {
    let found = |(port, all)| Listeners { all, port, note: None };
    match local {
        Local::Any => any(addresses).map(found),
        Local::Given(port) => on(addresses, port).map(|all| found((port, all))).map_err(|(address, error)| {
            let error = refused(address, port, &error);
            if port >= 1024
                && let Some((free, _)) = next_free(addresses, port..=port.saturating_add(NEIGHBOURS))
            {
                return error.hint(format!("{free} is free"));
            }
            error
        }),
        Local::Usual => {
            let (address, error) = match on(addresses, usual) {
                Ok(all) => return Ok(found((usual, all))),
                Err(failure) => failure,
            };
            if error.kind() != io::ErrorKind::AddrInUse {
                return Err(refused(address, usual, &error));
            }
            let range = usual.saturating_add(1)..=usual.saturating_add(NEIGHBOURS);
            let (port, all) = match next_free(addresses, range) {
                Some(free) => free,
                None => any(addresses)?,
            };
            Ok(Listeners { all, port, note: Some(format!("port {usual} is in use{}: {port} instead", used_by(usual))) })
        }
    }
}

fn next_free(addresses: &[IpAddr], mut ports: RangeInclusive<u16>) -> Option<(u16, Vec<TcpListener>)> {
    ports.find_map(|port| Some((port, on(addresses, port).ok()?)))
}

/// A port that is free on all addresses.
fn any(addresses: &[IpAddr]) -> Result<(u16, Vec<TcpListener>)> {
    let mut failure = None;
    for _ in 0..TRIES {
        match on(addresses, 0) {
            Ok(all) => {
                if let Some(Ok(address)) = all.first().map(TcpListener::local_addr) {
                    return Ok((address.port(), all));
                }
            }
            Err(error) => failure = Some(error),
        }
    }
    let error = Error::failed("no local port is free");
    Err(failure.map_or_else(|| Error::failed("there is no address to listen on"), |(_, why)| error.caused_by(why)))
}

/// Listens on one port of all addresses. A machine without IPv6 has no IPv6 loopback, and needs none.
fn on(addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, (IpAddr, io::Error)> {
    let mut all: Vec<TcpListener> = Vec::new();
    for &address in addresses {
        // Whatever is free in the first family is asked for in the other.
        let port = all.first().and_then(|first| first.local_addr().ok()).map_or(port, |first| first.port());
        match bind(SocketAddr::new(address, port)) {
            Ok(listener) => all.push(listener),
            Err(_) if !all.is_empty() && !exists(address) => {}
            Err(error) => return Err((address, error)),
        }
    }
    Ok(all)
}

/// Whether this machine has the address at all.
fn exists(address: IpAddr) -> bool {
    std::net::TcpListener::bind(SocketAddr::new(address, 0)).is_ok()
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port that was in use a moment ago can be had again.
    socket.set_reuseaddr(true)?;
    // `::` is for IPv6: `0.0.0.0` may have the same port.
    if address.is_ipv6() {
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn refused(address: IpAddr, port: u16, error: &io::Error) -> Error {
    let failed = |message: String| Error::failed(message);
    match error.kind() {
        io::ErrorKind::AddrInUse => failed(format!("port {port} is in use{}", used_by(port))),
        io::ErrorKind::PermissionDenied if port < 1024 => failed(format!("port {port} cannot be listened on"))
            .caused_by("ports below 1024 are the administrator's")
            .hint(format!("choose a higher local one, as in `{}:{port}`", u32::from(port) + 8000)),
        io::ErrorKind::AddrNotAvailable => Error::usage(format!("{address} is no address of this machine")),
        _ => failed(format!("cannot listen on {}", SocketAddr::new(address, port))).caused_by(error),
    }
}

fn used_by(port: u16) -> String {
    owner::of(port).map(|who| format!(" by {who}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_left_for_the_next_one() {
        let first = listen(&LOOPBACK, Local::Any, 0).unwrap();
        assert!(first.note.is_none());
        let second = listen(&LOOPBACK, Local::Usual, first.port).unwrap();
        assert!(second.port > first.port, "{second:?}");
        let note = second.note.unwrap();
        let start = format!("port {} is in use by ", first.port);
        assert!(note.starts_with(&start) && note.contains(&format!("(pid {})", std::process::id())), "{note}");
        let error = listen(&LOOPBACK, Local::Given(first.port), 0).unwrap_err();
        assert!(error.message().starts_with(&format!("port {} is in use by ", first.port)), "{error}");
        assert!(error.hints()[0].ends_with(" is free"), "{error:?}");
    }

    #[tokio::test]
    async fn one_port_serves_both_families() {
        let Listeners { all, port, .. } = listen(&LOOPBACK, Local::Any, 0).unwrap();
        let addresses: Vec<_> = all.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert!(addresses.contains(&SocketAddr::new(LOOPBACK[0], port)), "{addresses:?}");
        if exists(LOOPBACK[1]) {
            assert!(addresses.contains(&SocketAddr::new(LOOPBACK[1], port)), "{addresses:?}");
        }
    }

    #[tokio::test]
    async fn all_addresses_of_both_families_share_a_port() {
        if !exists(LOOPBACK[1]) {
            return;
        }
        let everywhere = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        for addresses in [everywhere, [everywhere[1], everywhere[0]]] {
            let Listeners { all, .. } = listen(&addresses, Local::Any, 0).unwrap();
            assert_eq!(all.len(), 2, "{all:?}");
        }
    }

    #[tokio::test]
    async fn a_port_taken_in_one_family_is_in_use() {
        if !exists(LOOPBACK[1]) {
            return;
        }
        let six = std::net::TcpListener::bind("[::1]:0").unwrap();
        let port = six.local_addr().unwrap().port();
        let error = listen(&LOOPBACK, Local::Given(port), 0).unwrap_err();
        assert!(error.message().starts_with(&format!("port {port} is in use")), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_refused() {
        let error = listen(&["192.0.2.7".parse().unwrap()], Local::Given(18080), 0).unwrap_err();
        assert_eq!(error.message(), "192.0.2.7 is no address of this machine");
    }
}
