//! One suite for what a server keeps of accounts, run against SQLite and against a real PostgreSQL
//! server of its own.

mod assistants;
mod authorship;
mod backups;
mod base;
mod blobs;
mod crash;
mod deletion;
mod events;
mod keys;
mod make;
mod people;
mod proofs;
mod races;
mod sessions;
mod shares;
mod tampering;
mod vaults;

macro_rules! both {
    ($($module:ident: $($name:ident),+;)+) => {
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(crate::base::Base::sqlite().await).await;
                }
            )+)+
        }
        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(crate::base::Base::postgres().await).await;
                }
            )+)+
        }
    };
}

both! {
    assistants: a_code_gives_tokens_once_and_shown_again_ends_them,
        a_code_shown_wrongly_is_gone,
        a_refresh_token_is_used_once_and_shown_again_ends_the_grant,
        grants_are_bounded_listed_and_taken_back_by_their_owner;
    people: a_sign_up_is_whole_or_nothing,
        credentials_are_found_used_and_removed_but_never_the_last,
        a_suspended_account_has_no_session,
        bounds_are_kept;
    deletion: a_deleted_account_leaves_a_retired_handle_alone,
        who_deletes_what_is_not_there_changes_nothing,
        deletion_beside_other_changes_is_whole;
    sessions: a_challenge_is_taken_once_for_its_purpose_in_its_time,
        a_nonce_is_seen_once,
        a_session_lives_until_it_is_ended,
        what_expired_is_purged,
        a_servers_secret_is_kept_once;
    vaults: commits_follow_each_other,
        a_commit_that_fails_leaves_nothing,
        changes_come_by_whole_commits_and_current,
        history_is_bounded_and_erasing_ends_it,
        keys_change_by_compare_and_set,
        the_longest_revision_of_a_vault_is_kept,
        a_vault_has_its_quota;
    keys: a_service_is_its_accounts_alone,
        a_key_is_found_by_its_point_in_its_service,
        what_is_revoked_is_not_live_and_stays_so,
        a_rotation_puts_the_proven_point_in_place_of_the_proven_one,
        a_nonce_is_used_once_whatever_for,
        of_many_logins_with_one_nonce_one_stands,
        who_asks_beside_others_is_answered_of_its_own,
        a_token_that_was_taken_back_is_known_until_its_end;
    proofs: a_session_is_kept_and_used_up_once,
        a_holder_comes_once_in_an_epoch,
        of_many_answers_one_is_taken,
        an_issuer_stays_revoked_at_every_server,
        ended_sessions_are_purged_and_nullifiers_stay,
        a_services_sessions_go_with_it,
        a_changed_session_is_refused;
    authorship: a_commitment_is_registered_once,
        of_those_who_revealed_a_digest_the_first_registered_is_first,
        entries_come_one_behind_the_other,
        a_name_goes_with_its_account_and_the_registration_stays;
    blobs: an_upload_goes_on_where_it_was_cut,
        chunks_count_towards_the_quota;
    shares: a_share_for_an_account_is_for_it_alone,
        a_link_is_seen_so_often,
        what_was_taken_back_is_gone;
    events: each_event_is_chained_to_the_one_before,
        a_change_that_fails_leaves_no_event;
    races: of_many_takers_one_gets_it,
        of_many_commits_one_stands,
        commits_of_many_vaults_all_stand,
        a_view_limit_holds,
        shares_to_each_other_all_stand,
        one_way_to_sign_in_stays,
        a_chain_stays_whole;
    tampering: every_column_of_every_table_is_covered,
        a_row_in_the_place_of_another_is_damage,
        readers_refuse_what_was_changed,
        another_server_key_is_told_apart;
    backups: a_backup_goes_into_either_database,
        a_damaged_row_stops_a_backup;
}
