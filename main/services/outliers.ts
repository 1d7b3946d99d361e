// Outlier statistics of an installed model, for choosing a threshold of LLM.int8().
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import type { Engine } from "../engine/client.ts"
import type { Loader } from "./loading.ts"

export function createOutliers(options: { engine: Pick<Engine, "client">; loader: Loader }): {
  handlers: Pick<Handlers<AppContract>, "models.outliers">
} {
  const { engine, loader } = options
  return {
    handlers: {
      async "models.outliers"({ modelId, ...wish }, { signal }) {
        const state = loader.state()
        if (state.state !== "ready" || state.model.id !== modelId) await loader.load({ modelId, signal })
        return loader.use("outliers are being counted", () => engine.client["model.outliers"](wish, signal))
      },
    },
  }
}
