//! What is sealed opens in its place, with its key, and nowhere else.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::ids::{BotId, ChannelId, TenantId};

fn key(byte: u8) -> SecretString {
    STANDARD.encode([byte; KEY_BYTES]).into()
}

fn vault(byte: u8) -> Vault {
    Vault::from_base64(&key(byte)).unwrap()
}

fn token(id: i64) -> Place {
    Place::push_token(TenantId::DEFAULT, ChannelId(id))
}

fn opens(vault: &Vault, sealed: &Sealed, place: &Place) -> bool {
    vault.open(sealed, place).is_ok_and(|open| open.expose_secret() == "hunter2")
}

#[test]
fn a_sealed_secret_opens_in_its_place_only() {
    let vault = vault(7);
    let place = Place::bot(TenantId(3), BotId(7), "bot_token");
    assert_eq!(place.to_string(), "3/bots/credentials.bot_token/7");
    let sealed = vault.seal(&place, &"hunter2".into());
    assert!(opens(&vault, &sealed, &place));
    let elsewhere = [
        Place { tenant: TenantId(4), ..place.clone() },
        Place { row: 8, ..place.clone() },
        Place { field: Some("password".to_owned()), ..place.clone() },
        Place { column: Column::ChannelSecrets, ..place.clone() },
    ];
    for other in elsewhere {
        assert!(matches!(vault.open(&sealed, &other), Err(CryptoError::Damaged)), "{other}");
        let moved = Sealed { place: other.to_string(), ..sealed.clone() };
        assert!(matches!(vault.open(&moved, &other), Err(CryptoError::Damaged)), "{other}");
    }
}

/// Sealed by the version whose places were texts without a tenant, under the key of sevens.
const BEFORE_TENANTS: &str = include_str!("sealed_before_tenants.json");

#[test]
fn what_was_sealed_before_places_named_their_tenant_still_opens() {
    let old: Vec<Sealed> = serde_json::from_str(BEFORE_TENANTS).unwrap();
    let tenant = TenantId::DEFAULT;
    let places = [
        token(7),
        Place::bot(tenant, BotId(3), "bot_token"),
        Place::channel(tenant, ChannelId(7), "signing_secret"),
        Place::models(tenant),
    ];
    assert_eq!(old.len(), places.len());
    for (sealed, place) in old.iter().zip(&places) {
        assert!(opens(&vault(7), sealed, place), "{sealed:?}");
        assert!(vault(7).open(sealed, &token(8)).is_err(), "{sealed:?}");
    }
}

#[test]
fn a_key_that_is_missing_is_named_with_the_settings_to_change() {
    let sealed = vault(1).seal(&token(1), &"hunter2".into());
    let error = vault(2).open(&sealed, &token(1)).unwrap_err().to_string();
    for word in [sealed.key(), "security.master_key", "security.old_keys"] {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn an_old_key_opens_and_the_active_one_seals_anew() {
    let sealed = vault(1).seal(&token(1), &"hunter2".into());
    let ring = Vault::from_keys(&key(2), &[key(1)], &SecretString::default()).unwrap();
    assert!(opens(&ring, &sealed, &token(1)));
    let anew = ring.reseal(&sealed, &token(1)).unwrap().unwrap();
    assert!(opens(&vault(2), &anew, &token(1)), "the old key is not needed any more");
    assert_eq!(ring.reseal(&anew, &token(1)).unwrap(), None);
    assert_eq!(ring.reseal(&Sealed::default(), &token(1)).unwrap(), None);
}

#[test]
fn the_keyed_hash_survives_rotation_and_then_the_end_of_the_old_key() {
    let hash = vault(1).hash("token");
    let ring = Vault::from_keys(&key(3), &[key(2), key(1)], &SecretString::default()).unwrap();
    assert_eq!(ring.hash("token"), hash);
    let alone = Vault::from_keys(&key(3), &[], &ring.hash_key()).unwrap();
    assert_eq!(alone.hash("token"), hash);
    assert_ne!(vault(3).hash("token"), hash);
    assert!(Vault::from_keys(&key(3), &[], &"short".into()).unwrap_err().to_string().contains("hash key"));
}

#[test]
fn nothing_prints_a_secret() {
    let vault = vault(7);
    let sealed = vault.seal(&token(1), &"hunter2".into());
    let printed = format!("{vault:?} {sealed:?} {:?} {:?}", SecretString::from("hunter2"), vault.hash_key());
    assert!(!printed.contains("hunter2") && !printed.contains(&sealed.text), "{printed}");
    assert!(!printed.contains(vault.hash_key().expose_secret()), "{printed}");
}

#[test]
fn a_key_file_is_made_once_and_only_its_owner_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let sealed = Vault::from_data_dir(dir.path()).unwrap().seal(&token(1), &"hunter2".into());
    assert!(opens(&Vault::from_data_dir(dir.path()).unwrap(), &sealed, &token(1)));
    let mode = std::fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_new_key_in_the_file_is_taken_up_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let running = Vault::from_data_dir(dir.path()).unwrap();
    let (before, hash) = (running.seal(&token(1), &"hunter2".into()), running.hash("token"));
    let rotating = Vault::from_data_dir(dir.path()).unwrap();
    rotating.add_key().unwrap();
    let after = rotating.reseal(&before, &token(1)).unwrap().unwrap();
    assert!(opens(&running, &after, &token(1)), "opening what a new key sealed");
    assert_eq!(running.seal(&token(2), &"x".into()).key(), after.key(), "sealing with it");
    assert!(opens(&running, &before, &token(1)));
    assert_eq!(running.hash("token"), hash);
    let mode = std::fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(Vault::from_data_dir(dir.path()).unwrap().key_ids().len(), 2);
}

#[test]
fn every_sealed_column_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> =
        Column::ALL.iter().map(|column| format!("{}.{}", column.table(), column.name())).collect();
    assert_eq!(names.len(), Column::ALL.len());
}
