//! Descriptors that travel with the first byte of a request (`SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, sendmsg,
};

/// The most descriptors that any operation takes.
pub(super) const FDS_MAX: usize = 2;

/// What one `recvmsg` gave.
#[derive(Debug)]
pub(super) struct Received {
    /// Bytes read; none at the end of the stream.
    pub bytes: usize,
    /// Close-on-exec, at most [`FDS_MAX`].
    pub fds: Vec<OwnedFd>,
    /// More came than there was room for; the kernel dropped them.
    pub cut: bool,
}

/// Reads into `buf`, taking descriptors along.
pub(super) fn receive(socket: impl AsFd, buf: &mut [u8]) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message =
        recvmsg(socket, &mut [IoSliceMut::new(buf)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for ancillary in control.drain() {
        if let RecvAncillaryMessage::ScmRights(given) = ancillary {
            fds.extend(given);
        }
    }
    Ok(Received { bytes: message.bytes, fds, cut: message.flags.contains(ReturnFlags::CTRUNC) })
}

/// Whether the other side has closed its end; `WouldBlock` where it is there and says nothing. Takes
/// nothing of what it says.
pub(super) fn is_at_end(socket: impl AsFd) -> io::Result<bool> {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let (bytes, _) = recv(socket, &mut [0_u8; 1], flags)?;
    Ok(bytes == 0)
}

/// Writes some of `bytes` with the descriptors at the first; says how many were written.
pub(super) fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}
