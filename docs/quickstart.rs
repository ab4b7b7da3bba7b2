use deploykit::edgegap::{Client, NewDeployment, User};

#[tokio::main]
async fn main() -> deploykit::Result<()> {
    let edgegap = Client::from_env()?; // EDGEGAP_TOKEN
    let player = User::ip([75, 28, 35, 192].into());
    let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", player).env("MODE", "ranked");

    let server = edgegap.deploy(new).await?.deployment();
    let ready = server.wait().await?;
    println!("{}", ready.endpoint("gameport")?); // c0653765de3b.pr.edgegap.net:30345

    server.stop().await?;
    Ok(())
}
