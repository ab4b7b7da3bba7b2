//! The calls with deploykit.

use crate::{Operation, Result, server};
use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::{dployr, nodion, pacing::Pacing};
use std::hint::black_box;

pub struct WithDeploykit {
    edgegap: edgegap::Client,
    nodion: nodion::Client,
    dployr: dployr::Client,
}

impl WithDeploykit {
    pub fn new(base_url: &str) -> Result<Self> {
        let edgegap = edgegap::Client::builder().base_url(base_url).token("t-1");
        let nodion = nodion::Client::builder().base_url(base_url).token("t-1");
        let dployr = dployr::Client::builder().base_url(base_url).token("t-1");
        Ok(Self {
            edgegap: edgegap.pacing(Pacing::off()).build()?,
            nodion: nodion.pacing(Pacing::off()).build()?,
            dployr: dployr.pacing(Pacing::off()).build()?,
        })
    }

    pub async fn call(&self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Get => {
                black_box(self.edgegap.deployment(server::FOUND).get().await?);
            }
            Operation::Create => {
                let player = User::ip([75, 28, 35, 192].into());
                let new = NewDeployment::new("my-app", "25.05.30", player)
                    .env("MODE", "ranked")
                    .tag("match-7");
                black_box(self.edgegap.deploy(new).await?);
            }
            Operation::NotFound => match self.edgegap.deployment(server::MISSING).get().await {
                Err(error) if error.status().is_some_and(|status| status == 404) => {
                    black_box(error);
                }
                _ => return Err("expected a 404".into()),
            },
            Operation::List => {
                let page = self.edgegap.deployments().list().await?;
                server::expect_records(page.items.len())?;
                black_box(page);
            }
            Operation::NodionList => {
                let page = self.nodion.application("a-1").deployments().list().await?;
                server::expect_records(page.items.len())?;
                black_box(page);
            }
            Operation::FollowLog => {
                let stream = self
                    .dployr
                    .service("web")
                    .follow_logs(dployr::LogOptions::new())
                    .await?;
                let mut stream = stream.without_reconnecting();
                let mut lines = 0;
                while let Some(line) = stream.next().await {
                    black_box(line?);
                    lines += 1;
                }
                server::expect_lines(lines)?;
            }
        }
        Ok(())
    }
}
