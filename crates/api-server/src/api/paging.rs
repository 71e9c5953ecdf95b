//! Lists: pages by cursor, so that what arrives meanwhile moves nothing.

use std::{fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use watchbell_common::{http::ApiError, store::Found};

/// Items of a page when the request does not say, and at most.
pub(crate) const LIMIT_DEFAULT: u32 = 50;
pub(crate) const LIMIT_MAX: u32 = 200;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// `next_cursor` of the page before; absent for the first page.
    pub(crate) cursor: Option<String>,
    /// How many items: 1 to 200, 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
}

impl Paging {
    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }

    /// The place behind the cursor: what [`Page::new`] was given of the last item.
    ///
    /// # Errors
    /// 400 when it is not a cursor of this list.
    pub(crate) fn after<T: FromStr>(&self) -> Result<Option<T>, ApiError> {
        let read = |cursor: &String| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            String::from_utf8(bytes).ok()?.parse().ok()
        };
        match &self.cursor {
            None => Ok(None),
            Some(cursor) => match read(cursor) {
                Some(place) => Ok(Some(place)),
                None => Err(ApiError::validation("cursor: is not one of this list; leave it out for the first page")),
            },
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` of `items`, of which one more was asked for. `place` says where an item stands.
    pub(crate) fn new<P: Display>(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> P) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| cursor(place(last)));
        Self { items, next_cursor: next }
    }

    /// The same page, as `view` shows its items.
    pub(crate) fn map<V>(self, view: impl FnMut(T) -> V) -> Page<V> {
        Page { items: self.items.into_iter().map(view).collect(), next_cursor: self.next_cursor }
    }
}

impl<T> Page<T> {
    /// What the store found, as `view` shows it.
    pub(crate) fn found<S>(found: Found<S>, view: impl FnMut(S) -> T) -> Self {
        let next_cursor = found.next.map(cursor);
        Self { items: found.items.into_iter().map(view).collect(), next_cursor }
    }
}

/// A cursor that names a place.
pub(crate) fn cursor(place: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(place.to_string())
}

/// Which page, as `PulseGuard` counts them. What makes no sense is the first page of the usual size.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Numbered {
    /// From 1.
    #[param(value_type = Option<u32>)]
    page: Option<String>,
    /// 1 to 200, 50 when absent.
    #[param(value_type = Option<u32>)]
    per_page: Option<String>,
}

impl Numbered {
    pub(crate) fn page(&self) -> u32 {
        self.page.as_deref().and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
    }

    pub(crate) fn per_page(&self) -> u32 {
        let asked = self.per_page.as_deref().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
        asked.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX)
    }

    /// How many items are on the pages before.
    pub(crate) fn skip(&self) -> u32 {
        (self.page() - 1).saturating_mul(self.per_page())
    }
}

/// One numbered page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NumberedPage<T> {
    pub(crate) items: Vec<T>,
    /// How many there are on all pages; past 10,000 it is a lower bound.
    pub(crate) total: u64,
    pub(crate) page: u32,
    pub(crate) per_page: u32,
}

/// A whole list, of what there are never many.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}
