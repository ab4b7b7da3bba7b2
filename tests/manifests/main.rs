//! Manifests: parsing, edits, lints, the canonical form and the JSON Schema.
#![cfg(feature = "nexlayer")]

mod edit;
mod invalid;
#[cfg(feature = "schemars")]
mod json_schema;
mod lints;
mod spec;

use deploykit::nexlayer::Manifest;

fn parse(text: &str) -> Manifest {
    Manifest::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The canonical form. Asserts that it has the same values and that a second conversion changes nothing.
fn canonical(manifest: &Manifest) -> Manifest {
    let canonical = manifest.canonical().unwrap();
    let text = canonical.as_str();
    assert_eq!(
        canonical.spec().unwrap(),
        manifest.spec().unwrap(),
        "{text}"
    );
    assert_eq!(canonical.canonical().unwrap(), canonical, "{text}");
    canonical
}

/// Manifests in the forms of the platform's documentation and tools. All secrets contain `hush`, which no
/// output may contain.
const REAL: [(&str, &str); 11] = [
    (
        "one pod",
        "application:\n  name: website\n  pods:\n  - name: web\n    path: /\n    image: ghcr.io/Nexlayer/website:v1.0.4\n    servicePorts:\n    - 80\n",
    ),
    (
        "a database with a disk",
        "application:\n  name: data-base\n  pods:\n  - name: postgres\n    image: postgres:16\n    servicePorts: [5432]\n    vars:\n      POSTGRES_USER: app\n      POSTGRES_PASSWORD: hush\n      PGDATA: /var/lib/postgresql/data/pgdata\n    volumes:\n    - name: pg-data\n      size: 2Gi\n      mountPath: /var/lib/postgresql\n",
    ),
    (
        "a private registry and a secret file",
        "application:\n  name: private-app\n  registryLogin:\n    registry: ghcr.io\n    username: Someone\n    personalAccessToken: hush-token\n  pods:\n  - name: api\n    path: /api\n    image: <% REGISTRY %>/org/img:1.2\n    servicePorts: [8080]\n    vars:\n      PUBLIC_URL: <% URL %>\n      OPENAI: <% SECRET_OPENAI_API_KEY %>\n    secrets:\n    - name: api-key\n      data: hush-data\n      mountPath: /etc/keys\n      fileName: key.txt\n",
    ),
    (
        "several ports, commands and entrypoints",
        "application:\n  name: queue\n  pods:\n  - name: rabbit\n    image: rabbitmq:3-management\n    servicePorts: [5672, 15672]\n    path: /\n  - name: redis\n    image: redis:7\n    servicePorts: [6379]\n    command: redis-server --requirepass hush\n  - name: minio\n    image: minio/minio:RELEASE.2025-01-01\n    servicePorts: [9000]\n    entrypoint: /bin/sh\n    command: -c \"mkdir -p /data && minio server /data\"\n",
    ),
    (
        "variables of every type",
        "application:\n  name: looks\n  pods:\n  - name: web\n    path: /\n    image: node:20\n    servicePorts: [3000]\n    vars:\n      REDIS_PORT: \"6379\"\n      REDIS_DB: 0\n      API: <% URL %>/v1\n      COLOUR: \"#fff\"\n      BANG: a!b@c#d\n      discovery.type: single-node\n      DEBUG: true\n      NOTHING:\n",
    ),
    (
        "version 2",
        "application:\n  name: second\n  version: 2.0\n  url: example.com\n  pods:\n  - name: web\n    path: /\n    image: nginx:1.29\n    servicePorts: [80]\n    subdomain: www\n  - name: migrate\n    image: migrate/migrate:4\n    resourceType: job\n  - name: store\n    image: mongo:7\n    servicePorts: [27017]\n    resourceType: statefulset\n    replicas: 3\n    resources:\n      requests: {cpu: 250m, memory: 256Mi}\n      limits: {cpu: \"1\", memory: 1Gi}\n    useGPU: false\n",
    ),
    (
        "without ports and images",
        "application:\n  name: incomplete\n  pods:\n  - name: prisma\n    image: prisma:5\n  - name: web\n    path: /\n    servicePorts: [80]\n",
    ),
    (
        "pods at the top",
        "application:\n  name: My MERN App\npods:\n- name: web\n  image: nginx:latest\n  path: /\n  servicePorts: [80]\n  resources: {cpu: 0.5, memory: 512Mi}\n",
    ),
    (
        "lists of maps",
        "version: 1\napplication:\n  name: cli-app\n  annotations: {a: b}\n  entrypoint: /app\n  pods:\n  - name: web\n    type: frontend\n    image: nginx:1.29\n    path: /\n    servicePorts:\n    - {name: http, port: 80, targetPort: 8080, protocol: TCP}\n    - \"443\"\n    ports:\n    - {containerPort: 9000, servicePort: 9000, name: metrics}\n    vars:\n    - {key: A, value: 1}\n    env:\n    - {name: B, value: hush}\n    volumes:\n    - {name: data, size: 1Gi, path: /data, type: persistent, readOnly: true}\n    secrets:\n    - {name: stripe-key, data: hush, path: /run}\n    annotations: {c: d}\n",
    ),
    (
        "the first schema of the plugin",
        "application:\n  name: plugin-app\n  domain: example.org\n  imagePullSecrets:\n  - {name: one, registry: ghcr.io, username: me, password: hush}\n  - {name: two, registry: r.example, username: you, password: hush}\n  pods:\n  - name: web\n    image: nginx:1.29\n    path: /\n    servicePorts: [80]\n    envFile: ./.env\n    secrets:\n    - {name: file, data: hush}\n    healthCheck: {path: /health, port: 80, initialDelaySeconds: 5, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3}\n",
    ),
    ("the example", include_str!("../../examples/nexlayer.yaml")),
];
