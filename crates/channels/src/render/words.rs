//! The words of the built-in layout in each language.

use std::{str::FromStr, time::Duration};

use watchbell_common::alert::{Severity, Status};

/// A language that the built-in layout is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    En,
    Zh,
    Fa,
}

impl FromStr for Language {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "en" => Ok(Self::En),
            "zh" => Ok(Self::Zh),
            "fa" => Ok(Self::Fa),
            _ => Err("must be en, zh or fa"),
        }
    }
}

impl Language {
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
            Self::Fa => &FA,
        }
    }
}

/// What is said in a language. Digits stay Latin everywhere: they are searched for, compared and typed.
pub(super) struct Words {
    /// Info, warning, error, critical: alone, and where they head the message.
    severities: [&'static str; 4],
    headings: [&'static str; 4],
    firing: &'static str,
    acknowledged: &'static str,
    resolved: &'static str,
    pub(super) update: &'static str,
    pub(super) action: &'static str,
    pub(super) subject: &'static str,
    pub(super) from: &'static str,
    pub(super) since: &'static str,
    pub(super) received: &'static str,
    pub(super) details: &'static str,
    pub(super) template_failed: &'static str,
    pub(super) no_subject: &'static str,
    pub(super) colon: &'static str,
    /// Before and after the number of times that an alert was seen.
    seen: [&'static str; 2],
    /// Days, hours, minutes, seconds.
    units: [&'static str; 4],
    rtl: bool,
}

const EN: Words = Words {
    severities: ["info", "warning", "error", "critical"],
    headings: ["INFO", "WARNING", "ERROR", "CRITICAL"],
    firing: "firing",
    acknowledged: "ACKNOWLEDGED",
    resolved: "RESOLVED",
    update: "update",
    action: "Action",
    subject: "Subject",
    from: "From",
    since: "Since",
    received: "Received",
    details: "Details",
    template_failed: "Template failed",
    no_subject: "(no subject)",
    colon: ": ",
    seen: [", seen ", " times"],
    units: ["d", "h", "min", "s"],
    rtl: false,
};

const ZH: Words = Words {
    severities: ["提示", "警告", "错误", "严重"],
    headings: ["提示", "警告", "错误", "严重"],
    firing: "告警中",
    acknowledged: "已确认",
    resolved: "已恢复",
    update: "更新",
    action: "处理建议",
    subject: "原始主题",
    from: "来源",
    since: "开始时间",
    received: "接收时间",
    details: "查看详情",
    template_failed: "模板出错",
    no_subject: "（无主题）",
    colon: "：",
    seen: ["，共 ", " 次"],
    units: ["天", "小时", "分钟", "秒"],
    rtl: false,
};

const FA: Words = Words {
    severities: ["اطلاع", "هشدار", "خطا", "بحرانی"],
    headings: ["اطلاع", "هشدار", "خطا", "بحرانی"],
    firing: "فعال",
    acknowledged: "در حال رسیدگی",
    resolved: "برطرف شد",
    update: "به‌روزرسانی",
    action: "اقدام",
    subject: "موضوع اصلی",
    from: "فرستنده",
    since: "از",
    received: "زمان دریافت",
    details: "جزئیات",
    template_failed: "خطای قالب",
    no_subject: "(بدون موضوع)",
    colon: ": ",
    seen: ["، ", " بار دیده شد"],
    units: ["روز", "ساعت", "دقیقه", "ثانیه"],
    rtl: true,
};

/// What stands between the parts of a heading.
pub(crate) const SEPARATOR: &str = " · ";

/// First strong isolate and pop directional isolate (Unicode TR9 §2.4): what stands between them keeps its own
/// direction and does not disturb what is around it.
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

impl Words {
    /// Status and severity, the more important first. What nobody needs to act on is not said to be firing: a digest, or a
    /// backup that went well.
    pub(super) fn state(&self, status: Status, severity: Severity) -> String {
        let of = |words: &[&'static str; 4]| words[severity as usize];
        let [first, second] = match (status, severity) {
            (Status::Firing, Severity::Info) => return of(&self.headings).to_owned(),
            (Status::Firing, _) => [of(&self.headings), self.firing],
            (Status::Acknowledged, _) => [self.acknowledged, of(&self.severities)],
            (Status::Resolved, _) => [self.resolved, of(&self.severities)],
        };
        format!("{first}{SEPARATOR}{second}")
    }

    /// How often, when more than once.
    pub(super) fn seen(&self, count: u64) -> String {
        let [before, after] = self.seen;
        if count > 1 { format!("{before}{count}{after}") } else { String::new() }
    }

    /// The two largest units that say something.
    pub(super) fn duration(&self, duration: Duration) -> String {
        let seconds = duration.as_secs();
        let amounts = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
        let first = amounts.iter().position(|&amount| amount > 0).unwrap_or(amounts.len() - 1);
        let parts = amounts.iter().zip(self.units).skip(first).take(2);
        let shown = parts.enumerate().filter(|(index, (amount, _))| *index == 0 || **amount > 0);
        shown.map(|(_, (amount, unit))| format!("{amount} {unit}")).collect::<Vec<_>>().join(" ")
    }

    /// A text of either direction, safe among words of this language.
    pub(super) fn isolated(&self, text: String) -> String {
        let [open, close] = ISOLATE;
        if self.rtl || text.contains(is_rtl) { format!("{open}{text}{close}") } else { text }
    }
}

/// Letters of the scripts that are written from right to left: Hebrew, Arabic and those around them, and their
/// presentation forms.
const fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}
