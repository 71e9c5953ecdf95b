//! Weekly time windows. All is reckoned in local wall-clock time, so a day of 23 or 25 hours needs no care.

use jiff::{
    Timestamp,
    civil::{Time, Weekday},
    tz::TimeZone,
};

use super::PatternError;
use crate::{clock::UnixMillis, config::Active};

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A compiled [`Active`].
#[derive(Debug)]
pub(super) struct Window {
    /// Empty for every day.
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Window {
    /// Reads days, times and the time zone.
    pub(super) fn compile(active: &Active) -> Result<Self, PatternError> {
        let bad = |what, value: &str| PatternError::Window { what, value: value.to_owned() };
        let day = |name: &String| {
            let found = DAYS.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
            found.map(|&(_, day)| day).ok_or_else(|| bad("day (mon, tue, wed, thu, fri, sat or sun)", name))
        };
        let time = |text: &str| parse_time(text).ok_or_else(|| bad("time (HH:MM)", text));
        let zone = match &active.timezone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| bad("time zone (such as Europe/Berlin)", name))?,
        };
        Ok(Self {
            days: active.days.iter().map(day).collect::<Result<_, _>>()?,
            from: time(&active.from)?,
            to: time(&active.to)?,
            zone,
        })
    }

    /// Whether the window is open at that time.
    pub(super) fn contains(&self, now_ms: UnixMillis) -> bool {
        let Ok(now) = Timestamp::from_millisecond(now_ms) else {
            return false;
        };
        let local = now.to_zoned(self.zone.clone());
        let (time, today) = (local.time(), local.weekday());
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.to {
            return on(today) && time >= self.from && time < self.to;
        }
        // Over midnight: the evening belongs to today's window, the early hours to the one that began yesterday.
        (time >= self.from && on(today)) || (time < self.to && on(today.previous()))
    }
}

fn parse_time(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<i8>().ok()).flatten();
    Time::new(two(hours)?, two(minutes)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(days: &[&str], from: &str, to: &str, timezone: Option<&str>) -> Active {
        Active {
            days: days.iter().map(|day| (*day).to_owned()).collect(),
            from: from.to_owned(),
            to: to.to_owned(),
            timezone: timezone.map(str::to_owned),
        }
    }

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn windows_open_and_close_on_time() {
        let office = active(&["mon", "Tue", "wed", "thu", "fri"], "09:00", "17:00", Some("Europe/Berlin"));
        let nights = active(&["fri"], "22:00", "06:00", Some("Europe/Berlin"));
        let always = active(&[], "08:00", "08:00", None);
        let spring = active(&["sun"], "02:30", "04:00", Some("Europe/Berlin"));
        let autumn = active(&["sun"], "02:30", "02:45", Some("Europe/Berlin"));
        let table = [
            (&office, "2026-11-20T07:59:59Z", false), // Friday 08:59:59 in Berlin
            (&office, "2026-11-20T08:00:00Z", true),
            (&office, "2026-11-20T15:59:59Z", true),
            (&office, "2026-11-20T16:00:00Z", false),
            (&office, "2026-11-21T10:00:00Z", false), // Saturday
            (&nights, "2026-11-20T20:59:59Z", false),
            (&nights, "2026-11-20T21:00:00Z", true),  // Friday 22:00
            (&nights, "2026-11-21T04:59:59Z", true),  // Saturday 05:59:59 belongs to Friday
            (&nights, "2026-11-21T05:00:00Z", false), // Saturday 06:00
            (&nights, "2026-11-20T03:00:00Z", false), // Friday 04:00 belongs to Thursday
            (&nights, "2026-11-21T22:00:00Z", false), // Saturday 23:00
            (&always, "2026-11-21T07:59:00Z", true),
            (&always, "2026-11-21T08:00:00Z", true),
            (&spring, "2026-03-29T00:59:59Z", false), // 01:59:59, then the clock shows 03:00
            (&spring, "2026-03-29T01:00:00Z", true),
            (&spring, "2026-03-29T02:00:00Z", false), // 04:00
            (&autumn, "2026-10-25T00:30:00Z", true),  // 02:30 summer time
            (&autumn, "2026-10-25T00:45:00Z", false),
            (&autumn, "2026-10-25T01:30:00Z", true), // 02:30 again, winter time
        ];
        for (active, at, open) in table {
            assert_eq!(Window::compile(active).unwrap().contains(ms(at)), open, "{active:?} at {at}");
        }
    }

    #[test]
    fn a_bad_window_says_which_value_is_wrong() {
        let error = |active: &Active| Window::compile(active).unwrap_err().to_string();
        assert!(error(&active(&["someday"], "09:00", "17:00", None)).contains("`someday` is not a valid day"));
        assert!(error(&active(&[], "9:00", "17:00", None)).contains("`9:00` is not a valid time"));
        assert!(error(&active(&[], "09:00", "24:00", None)).contains("`24:00`"));
        assert!(error(&active(&[], "09:00", "17:00", Some("Mars/Olympus"))).contains("`Mars/Olympus`"));
    }

    #[test]
    fn a_time_beyond_the_calendar_is_in_no_window() {
        assert!(!Window::compile(&active(&[], "00:00", "00:00", None)).unwrap().contains(i64::MAX));
    }
}
