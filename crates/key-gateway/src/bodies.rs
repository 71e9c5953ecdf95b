//! Bodies on their way through: never kept, only watched.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::{lines::Slot, wire::Watch};

/// A request's body on its way to the upstream.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    watch: Arc<Watch>,
}

impl Upload {
    pub(crate) fn new(body: Incoming, watch: Arc<Watch>) -> Self {
        watch.upload_begins(body.is_end_stream());
        Self { body, watch }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) if self.body.is_end_stream() => self.watch.upload_ended(true),
            Some(Ok(_)) => {}
            Some(Err(_)) => self.watch.upload_ended(false),
            None => self.watch.upload_ended(true),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body on its way to the client: the upstream's, or a short one of our own.
pub(crate) struct Answer {
    body: Either,
    watch: Arc<Watch>,
}

enum Either {
    Upstream(Incoming, Arc<Slot>),
    Own(Option<Bytes>),
}

impl Answer {
    pub(crate) fn upstream(body: Incoming, slot: Arc<Slot>, watch: Arc<Watch>) -> Self {
        Self { body: Either::Upstream(body, slot), watch }
    }

    pub(crate) fn own(body: Bytes, watch: Arc<Watch>) -> Self {
        Self { body: Either::Own((!body.is_empty()).then_some(body)), watch }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.watch.answered();
        if let Either::Upstream(_, slot) = &self.body {
            slot.release();
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Either::Upstream(body, slot) => {
                let mut body = Pin::new(body);
                if let frame @ Poll::Ready(_) = body.as_mut().poll_frame(cx) {
                    return frame;
                }
                slot.drive(cx);
                body.poll_frame(cx)
            }
            Either::Own(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Either::Upstream(body, _) => body.is_end_stream(),
            Either::Own(body) => body.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Either::Upstream(body, _) => body.size_hint(),
            Either::Own(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
        }
    }
}
