//! Goes with the merge of the tunnel.
use std::{pin::Pin, task::{Context, Poll}};
use tokio::{io::{AsyncRead, AsyncWrite, ReadBuf}, net::TcpStream};
use super::{Cluster, NotOpened};
use crate::error::{Error, Result};
pub struct Tunnel { address: String }
pub struct TunnelStream(TcpStream);
impl Cluster {
    pub async fn tunnel(&self, namespace: &str, pod: &str) -> Result<Tunnel, NotOpened> {
        let pod = self.get::<k8s_openapi::api::core::v1::Pod>(namespace, pod).await.map_err(NotOpened::Failed)?;
        let address = pod.and_then(|pod| pod.status?.pod_ip).ok_or_else(|| NotOpened::Gone(Error::failed("gone")))?;
        Ok(Tunnel { address })
    }
}
impl Tunnel {
    pub async fn connect(&self, port: u16) -> Result<TunnelStream> {
        let stream = TcpStream::connect((self.address.as_str(), port)).await.map_err(|error| Error::failed("stub").caused_by(error))?;
        Ok(TunnelStream(stream))
    }
    pub async fn closed(&self) -> Error { std::future::pending().await }
    pub fn is_closed(&self) -> bool { false }
}
impl TunnelStream { pub fn failure(&self) -> Option<String> { None } }
impl AsyncRead for TunnelStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> { Pin::new(&mut self.0).poll_read(cx, buf) }
}
impl AsyncWrite for TunnelStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> { Pin::new(&mut self.0).poll_write(cx, buf) }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> { Pin::new(&mut self.0).poll_flush(cx) }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> { Pin::new(&mut self.0).poll_shutdown(cx) }
}
