/**
 * Milliseconds after which a client closes a connection that stands idle. The API server does so after 90 s (IdleTimeout in
 * secure_serving.go of k8s.io/apiserver), and a request sent in that moment would be lost.
 */
export const idleTimeout = 30_000
