import { api } from "@/lib/api/client";

/** What the models were asked today, and what it cost. */
export const useUsage = () => api.useQuery("get", "/api/v1/ai-providers/usage");
