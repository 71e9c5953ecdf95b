// The dashboard is exported as static files; the Rust binary serves them. `next dev` forwards the API to a running
// `watchbell serve`.
import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const server = process.env.DASHBOARD_API ?? "http://127.0.0.1:8080";

const shared: NextConfig = {
  trailingSlash: true,
  reactStrictMode: true,
  turbopack: { root: fileURLToPath(new URL(".", import.meta.url)) },
  experimental: { optimizePackageImports: ["radix-ui", "lucide-react"] },
};

const development: NextConfig = {
  ...shared,
  skipTrailingSlashRedirect: true,
  rewrites: async () => [{ source: "/api/:path*", destination: `${server}/api/:path*` }],
};

export default process.env.NODE_ENV === "development" ? development : { ...shared, output: "export" };
