//! From the tree to items: shapes, types, and the fields of platforms.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{
    AiItem, BotItem, ChannelItem, Located, MuteItem, Platform, PlatformField, Provision, RuleItem, SilenceItem,
    TemplateItem, Vocabulary,
    fields::{Field, Fields, Problems},
    node::Node,
};
use crate::{
    ai::{self, Kind, Model},
    alert::Severity,
    clock::parse_time,
    config::{
        Active, Match,
        check::{MUTE_OF_EVERYTHING, RULE_WITHOUT_CHANNELS},
    },
    settings::parse_duration,
};

/// What a model's item does not say is as the settings of the same names have it by default.
const TIMEOUT_DEFAULT_MS: u32 = 20_000;
const CONCURRENCY_DEFAULT: u32 = 4;
const CONTEXT_TOKENS_DEFAULT: u32 = 8_192;

pub(super) fn read(root: &Node, vocabulary: &Vocabulary, problems: &mut Problems) -> Provision {
    let mut provision = Provision {
        file: problems.file().to_owned(),
        bots: Vec::new(),
        templates: Vec::new(),
        channels: Vec::new(),
        rules: Vec::new(),
        default_channels: Vec::new(),
        mutes: Vec::new(),
        silences: Vec::new(),
        ai: Vec::new(),
        warnings: Vec::new(),
    };
    let Some(mut fields) = (Field { node: root, path: String::new() }).fields(problems) else { return provision };
    let platforms = &vocabulary.platforms;
    provision.bots = each(&mut fields, "bots", problems, |fields, problems| bot(fields, platforms, problems));
    let template = |fields: &mut Fields<'_>, problems: &mut Problems| template(fields, vocabulary, problems);
    provision.templates = each(&mut fields, "templates", problems, template);
    let bots = &provision.bots;
    let channel = |fields: &mut Fields<'_>, problems: &mut Problems| channel(fields, bots, vocabulary, problems);
    provision.channels = each(&mut fields, "channels", problems, channel);
    provision.rules = each(&mut fields, "rules", problems, rule);
    provision.default_channels = fields.texts("default_channels", problems);
    provision.mutes = each(&mut fields, "mutes", problems, mute);
    provision.silences = each(&mut fields, "silences", problems, silence);
    for item in fields.take("ai").map(|field| field.one_or_more(problems)).unwrap_or_default() {
        let Some(mut fields) = item.fields(problems) else { continue };
        provision.ai.extend(ai(&mut fields, problems));
        fields.finish(problems);
    }
    fields.finish(problems);
    provision
}

fn each<T>(
    fields: &mut Fields<'_>,
    name: &str,
    problems: &mut Problems,
    read: impl Fn(&mut Fields<'_>, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let items = fields.take(name).map(|field| field.items(problems)).unwrap_or_default();
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let Some(mut fields) = item.fields(problems) else { continue };
        all.extend(read(&mut fields, problems));
        fields.finish(problems);
    }
    all
}

fn name(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Located<String>> {
    let name = fields.required("name", problems)?.text(problems)?;
    if name.value.trim().is_empty() {
        problems.add_at(&name, "must not be empty");
    }
    Some(name)
}

fn severity(field: &Field<'_>, problems: &mut Problems) -> Option<Severity> {
    field.word(str::parse, problems)
}

fn known_platform<'p>(
    name: &Located<String>,
    platforms: &'p [Platform],
    problems: &mut Problems,
) -> Option<&'p Platform> {
    let known = platforms.iter().find(|platform| platform.name == name.value);
    if known.is_none() {
        let names: Vec<_> = platforms.iter().map(|platform| platform.name.as_str()).collect();
        problems.add_at(name, format!("there is no such platform; known are {}", names.join(", ")));
    }
    known
}

fn bot(fields: &mut Fields<'_>, platforms: &[Platform], problems: &mut Problems) -> Option<BotItem> {
    let name = name(fields, problems);
    let platform = fields.required("platform", problems).and_then(|field| field.text(problems));
    let known = platform.as_ref().and_then(|platform| known_platform(platform, platforms, problems));
    if known.is_none() {
        // Without the platform nobody knows which other fields there are.
        fields.others();
    }
    let mut credentials = BTreeMap::new();
    for credential in known.iter().flat_map(|known| &known.credentials) {
        if let Some(text) = platform_field(fields, credential, problems).and_then(|field| field.text(problems)) {
            credentials.insert(credential.name.clone(), text.value.into());
        }
    }
    Some(BotItem { platform: platform.unwrap_or_else(|| fields.whole.with(String::new())), credentials, name: name? })
}

fn template(fields: &mut Fields<'_>, vocabulary: &Vocabulary, problems: &mut Problems) -> Option<TemplateItem> {
    let name = name(fields, problems);
    let sound = |text: &str| (vocabulary.template)(text).map(|()| text.to_owned());
    let body = fields.required("body", problems).and_then(|field| field.word(sound, problems));
    let parse_mode = fields.take("parse_mode").and_then(|field| field.word(str::parse, problems));
    Some(TemplateItem { name: name?, body: body.unwrap_or_default(), parse_mode: parse_mode.unwrap_or_default() })
}

/// One of a channel's templates: its name, and when it is used.
fn template_use(
    fields: &mut Fields<'_>,
    vocabulary: &Vocabulary,
    problems: &mut Problems,
) -> Option<(Located<String>, Option<String>)> {
    let sound = |text: &str| (vocabulary.condition)(text).map(|()| text.to_owned());
    let when = fields.take("when").and_then(|field| field.word(sound, problems));
    Some((fields.required("template", problems)?.text(problems)?, when))
}

fn platform_field<'n>(fields: &mut Fields<'n>, field: &PlatformField, problems: &mut Problems) -> Option<Field<'n>> {
    if field.required { fields.required(&field.name, problems) } else { fields.take(&field.name) }
}

fn channel(
    fields: &mut Fields<'_>,
    bots: &[BotItem],
    vocabulary: &Vocabulary,
    problems: &mut Problems,
) -> Option<ChannelItem> {
    let platforms = &vocabulary.platforms;
    let name = name(fields, problems);
    let bot = fields.text("bot", problems);
    let given = fields.text("platform", problems);
    let of_bot = bots.iter().find(|candidate| bot.as_ref().is_some_and(|bot| bot.value == candidate.name.value));
    let known = match (&given, of_bot) {
        (Some(given), Some(of_bot)) if given.value != of_bot.platform.value => {
            problems.add_at(given, format!("its bot is of the platform {}", of_bot.platform.value));
            None
        }
        (Some(given), _) => known_platform(given, platforms, problems),
        (None, Some(of_bot)) => platforms.iter().find(|platform| platform.name == of_bot.platform.value),
        (None, None) => {
            if bot.is_none() {
                problems.add_at(&fields.whole, "needs a bot or a platform");
            }
            None
        }
    };
    let target = match known {
        Some(known) if known.needs_target => fields.required("target", problems),
        _ => fields.take("target"),
    };
    let target = target.and_then(|field| field.text(problems));
    let Options { open, secrets, mut places } = options(fields, known, vocabulary, problems);
    places.extend(target.iter().map(|target| ("target".to_owned(), target.with(()))));
    let used = |fields: &mut Fields<'_>, problems: &mut Problems| template_use(fields, vocabulary, problems);
    Some(ChannelItem {
        whole: fields.whole.clone(),
        platform: known.map(|known| known.name.clone()).unwrap_or_default(),
        bot,
        target: target.map(|target| target.value).unwrap_or_default(),
        options: open,
        secrets,
        places,
        rate_per_min: fields.count("rate_per_min", problems),
        dedup_window_s: fields.count("dedup_window_s", problems),
        push_token: fields.text("push_token", problems).map(|token| token.with(token.value.as_str().into())),
        templates: each(fields, "templates", problems, used),
        enabled: fields.flag("enabled", true, problems),
        name: name?,
    })
}

#[derive(Default)]
struct Options {
    open: BTreeMap<String, serde_json::Value>,
    secrets: BTreeMap<String, SecretString>,
    places: BTreeMap<String, Located<()>>,
}

fn options(
    fields: &mut Fields<'_>,
    known: Option<&Platform>,
    vocabulary: &Vocabulary,
    problems: &mut Problems,
) -> Options {
    let mut options = Options::default();
    let field = fields.take("options");
    let Some(known) = known else { return options };
    let Some(field) = field else {
        for option in known.options.iter().filter(|option| option.required) {
            problems.add_at(&fields.whole, format!("the option `{}` is missing", option.name));
        }
        return options;
    };
    let Some(mut given) = field.fields(problems) else { return options };
    for option in &known.options {
        let Some(field) = platform_field(&mut given, option, problems) else { continue };
        options.places.insert(option.name.clone(), field.located(()));
        if option.secret {
            options.secrets.extend(field.text(problems).map(|text| (option.name.clone(), text.value.into())));
            continue;
        }
        let Some(value) = field.json(problems) else { continue };
        if let Err(why) = (vocabulary.option)(&option.name, &value) {
            problems.add_at(&field.located(()), why);
        }
        options.open.insert(option.name.clone(), value);
    }
    given.finish(problems);
    options
}

/// The conditions of a rule or silence. Their texts are also put into `patterns`.
fn matcher(field: Option<Field<'_>>, patterns: &mut Vec<Located<String>>, problems: &mut Problems) -> Match {
    let Some(mut fields) = field.and_then(|field| field.fields(problems)) else { return Match::default() };
    let mut glob = |name: &str, problems: &mut Problems| {
        let text = fields.text(name, problems)?;
        patterns.push(text.clone());
        Some(text.value)
    };
    let mut matcher = Match {
        from: glob("from", problems),
        to: glob("to", problems),
        subject: glob("subject", problems),
        source: glob("source", problems),
        system: glob("system", problems),
        category: glob("category", problems),
        severity_at_least: None,
        labels: BTreeMap::new(),
    };
    matcher.severity_at_least = fields.take("severity_at_least").and_then(|field| severity(&field, problems));
    if let Some(mut labels) = fields.take("labels").and_then(|field| field.fields(problems)) {
        for (name, field) in labels.others() {
            let Some(text) = field.text(problems) else { continue };
            patterns.push(text.clone());
            matcher.labels.insert(name, text.value);
        }
    }
    fields.finish(problems);
    matcher
}

fn rule(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<RuleItem> {
    let name = name(fields, problems);
    let mut patterns = Vec::new();
    let matcher = matcher(fields.take("match"), &mut patterns, problems);
    let channels = fields.texts("channels", problems);
    let item = RuleItem {
        matcher,
        channels,
        goes_on: fields.flag("continue", false, problems),
        set_severity: fields.take("set_severity").and_then(|field| severity(&field, problems)),
        escalate: fields.take("escalate").and_then(|field| escalate(&field, problems)),
        active: fields.take("active").and_then(|field| active(&field, &mut patterns, problems)),
        ai_max_wait_ms: fields.take("ai_max_wait").and_then(|field| field.word(wait_ms, problems)),
        enabled: fields.flag("enabled", true, problems),
        patterns,
        name: name?,
    };
    if item.channels.is_empty() && item.escalate.is_none() && !item.goes_on {
        problems.add_at(&fields.whole, RULE_WITHOUT_CHANNELS);
    }
    Some(item)
}

fn escalate(field: &Field<'_>, problems: &mut Problems) -> Option<(Severity, Vec<Located<String>>)> {
    let mut fields = field.fields(problems)?;
    let at_least = fields.required("severity_at_least", problems).and_then(|field| severity(&field, problems));
    let channels = fields.required("channels", problems).map(|field| field.texts(problems));
    fields.finish(problems);
    Some((at_least?, channels?))
}

fn active(field: &Field<'_>, patterns: &mut Vec<Located<String>>, problems: &mut Problems) -> Option<Active> {
    let mut fields = field.fields(problems)?;
    let days = fields.texts("days", problems);
    let from = fields.required("from", problems).and_then(|field| field.text(problems));
    let to = fields.required("to", problems).and_then(|field| field.text(problems));
    let timezone = fields.text("timezone", problems);
    fields.finish(problems);
    patterns.extend(days.iter().chain(&from).chain(&to).chain(&timezone).cloned());
    Some(Active {
        days: days.into_iter().map(|day| day.value).collect(),
        from: from?.value,
        to: to?.value,
        timezone: timezone.map(|zone| zone.value),
    })
}

fn mute(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<MuteItem> {
    let from = fields.text("from", problems);
    let source = fields.text("source", problems);
    let comment = fields.plain("comment", problems);
    if from.is_none() && source.is_none() {
        problems.add_at(&fields.whole, MUTE_OF_EVERYTHING);
        return None;
    }
    let patterns = from.iter().chain(&source).cloned().collect();
    let text = |located: Option<Located<String>>| located.map(|located| located.value);
    Some(MuteItem { whole: fields.whole.clone(), from: text(from), source: text(source), comment, patterns })
}

fn silence(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<SilenceItem> {
    let mut patterns = Vec::new();
    let matcher = matcher(fields.required("match", problems), &mut patterns, problems);
    let expires_at = fields.required("expires_at", problems).and_then(|field| field.word(parse_time, problems));
    let comment = fields.plain("comment", problems);
    Some(SilenceItem { whole: fields.whole.clone(), matcher, expires_at: expires_at?, comment, patterns })
}

fn ai(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<AiItem> {
    let base_url = fields
        .required("base_url", problems)
        .and_then(|field| field.word(|text| ai::check_url(text).map(|()| text.to_owned()), problems));
    let name = fields.required("model", problems).and_then(|field| field.text(problems));
    let kind = fields.take("kind").map(|field| field.word(str::parse, problems));
    let api_key = fields.text("api_key", problems);
    let max_wait_ms = fields.take("max_wait").and_then(|field| field.word(wait_ms, problems));
    let timeout_ms = fields.take("timeout").and_then(|field| field.word(wait_ms, problems));
    let mut count =
        |name: &str, default: u32| fields.take(name).and_then(|field| field.count(problems)).unwrap_or(default);
    let concurrency = count("concurrency", CONCURRENCY_DEFAULT);
    let context_tokens = count("context_tokens", CONTEXT_TOKENS_DEFAULT);
    let mut price = |name: &str| fields.take(name).and_then(|field| field.number(problems)).unwrap_or_default();
    let model = Model {
        kind: kind.unwrap_or(Some(Kind::Openai))?,
        base_url: base_url?,
        name: name?.value,
        timeout_ms: timeout_ms.unwrap_or(TIMEOUT_DEFAULT_MS),
        concurrency,
        context_tokens,
        prompt_price: price("prompt_price"),
        completion_price: price("completion_price"),
    };
    if let Some((field, what)) = model.problem() {
        problems.add_at(&fields.whole, format!("`{field}` {what}"));
    }
    Some(AiItem { model, api_key: api_key.map(|key| key.value.into()), max_wait_ms })
}

fn wait_ms(text: &str) -> Result<u32, String> {
    let wait = parse_duration(text)?;
    u32::try_from(wait.as_millis()).map_err(|_| format!("`{text}` is too long"))
}
