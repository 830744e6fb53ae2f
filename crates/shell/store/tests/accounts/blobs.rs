use symbolon_account::{AccountError, AccountStore, CHUNK_BYTES_MAX, Chunk};
use symbolon_crypto::sha256;

use crate::base::Base;
use crate::make::{commit, person, revision, vault};

fn chunk(index: u32, size: usize) -> Chunk {
    Chunk { vault: vault(1), blob: [5; 16].into(), index, sealed: vec![index as u8; size] }
}

pub async fn an_upload_goes_on_where_it_was_cut(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let blob = [5; 16].into();
    a.put_chunk(&chunk(0, 100)).await.unwrap();
    a.put_chunk(&chunk(2, 300)).await.unwrap();
    a.put_chunk(&chunk(2, 300)).await.unwrap();
    let there = a.chunks(vault(1), blob).await.unwrap();
    let told: Vec<_> = there.iter().map(|c| (c.index, c.size_bytes, c.digest)).collect();
    assert_eq!(told, [(0, 100, sha256(&[0; 100])), (2, 300, sha256(&[2; 300]))]);
    assert!(matches!(a.put_chunk(&chunk(2, 301)).await, Err(AccountError::Exists(_))));
    a.put_chunk(&chunk(1, 200)).await.unwrap();
    assert_eq!(a.chunk(vault(1), blob, 1).await.unwrap(), vec![1; 200]);
    assert!(matches!(a.chunk(vault(1), blob, 3).await, Err(AccountError::Missing(_))));
    assert!(matches!(a.chunk(vault(2), blob, 1).await, Err(AccountError::Missing(_))));
    a.delete_blob(vault(1), blob).await.unwrap();
    assert!(a.chunks(vault(1), blob).await.unwrap().is_empty());
    assert!(matches!(a.delete_blob(vault(1), blob).await, Err(AccountError::Missing(_))));
    a.check().await.unwrap();
}

pub async fn chunks_count_towards_the_quota(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.put_chunk(&chunk(0, 6_000)).await.unwrap();
    let over = a.put_chunk(&chunk(1, 4_001)).await;
    assert!(matches!(over, Err(AccountError::Quota { needed: 10_001, max: 10_000 })));
    let over = a.commit(commit(1, 0, vec![revision(1, 1, 4_001)])).await;
    assert!(matches!(over, Err(AccountError::Quota { .. })), "revisions and chunks share it");
    a.commit(commit(1, 0, vec![revision(1, 1, 4_000)])).await.unwrap();
    a.delete_blob(vault(1), [5; 16].into()).await.unwrap();
    assert_eq!(a.vault_of([1; 16].into()).await.unwrap().used_bytes, 4_000);
    let none = Chunk { vault: vault(2), ..chunk(0, 1) };
    assert!(matches!(a.put_chunk(&none).await, Err(AccountError::Missing(_))));
    let long = a.put_chunk(&chunk(0, CHUNK_BYTES_MAX + 1)).await;
    assert!(matches!(long, Err(AccountError::TooLong { .. })));
    assert!(matches!(a.put_chunk(&chunk(101, 1)).await, Err(AccountError::TooLong { .. })));
}
