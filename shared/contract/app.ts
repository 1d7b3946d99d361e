// page <-> main. What the page can do, in one list; the command line calls the same services.
import { z } from "zod"
import { method, stream } from "../rpc.ts"
import { Addition, AdditionOptions, AdditionSource, TensorError } from "../schema/addition.ts"
import { Chat, ChatSummary, Message, Overflow, Sampling, SearchHit } from "../schema/chat.ts"
import { BlockSize, Format, QuantizedFormat } from "../schema/format.ts"
import { HubAccount, HubModel, HubPage, HubQuery } from "../schema/hub.ts"
import { Job } from "../schema/job.ts"
import { InstalledModel, LoadedModel, ModelInspection } from "../schema/model.ts"
import { OutlierReport, OutlierThreshold } from "../schema/outliers.ts"
import { CapacityTable, FitChange, PlanAdvice, PlanComputer, PlanReport, PlanRequest, Prediction, SpeedProfile } from "../schema/plan.ts"
import { QualityReport } from "../schema/quality.ts"
import { Settings, SettingsChange } from "../schema/settings.ts"
import { StorageReport } from "../schema/storage.ts"
import { EngineState, MemorySnapshot, SystemInfo } from "../schema/system.ts"

/** What the first screen offers. */
export const StarterOffer = z.object({
  name: z.string(),
  description: z.string(),
  license: z.string(),
  /** Where it would come from now; both are shown with size. null while not known. */
  source: z.enum(["hub", "package-index"]).nullable(),
  downloadBytes: z.number(),
  memoryBytes: z.number(),
  parameters: z.number(),
})
export type StarterOffer = z.infer<typeof StarterOffer>

export const LoadState = z.discriminatedUnion("state", [
  z.object({ state: z.literal("none") }),
  z.object({ state: z.literal("loading"), modelId: z.string(), name: z.string(), fraction: z.number() }),
  z.object({ state: z.literal("ready"), model: LoadedModel }),
  z.object({
    state: z.literal("failed"),
    modelId: z.string(),
    name: z.string(),
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }),
])
export type LoadState = z.infer<typeof LoadState>

export const Snapshot = z.object({
  system: SystemInfo,
  engine: EngineState,
  load: LoadState,
  models: z.array(InstalledModel),
  jobs: z.array(Job),
  chats: z.array(ChatSummary),
  settings: Settings,
  starter: StarterOffer,
  additions: z.array(Addition),
  hub: HubAccount,
  /** null: the benchmark of this computer has not been run. */
  speed: SpeedProfile.nullable(),
  /** The newest first, at most 50. */
  predictions: z.array(Prediction),
})
export type Snapshot = z.infer<typeof Snapshot>

/** Each carries the whole new value of one part of the snapshot, so losing an older one is harmless. */
export const AppEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("engine"), engine: EngineState }),
  z.object({ type: z.literal("load"), load: LoadState }),
  z.object({ type: z.literal("models"), models: z.array(InstalledModel) }),
  z.object({ type: z.literal("job"), job: Job }),
  z.object({ type: z.literal("jobs"), jobs: z.array(Job) }),
  z.object({ type: z.literal("chats"), chats: z.array(ChatSummary) }),
  z.object({ type: z.literal("settings"), settings: Settings }),
  z.object({ type: z.literal("addition"), addition: Addition }),
  z.object({ type: z.literal("additions"), additions: z.array(Addition) }),
  z.object({ type: z.literal("hub"), hub: HubAccount }),
  z.object({ type: z.literal("speed"), speed: SpeedProfile }),
  z.object({ type: z.literal("predictions"), predictions: z.array(Prediction) }),
])
export type AppEvent = z.infer<typeof AppEvent>

/** A reply as it grows: `started` names the records, `text` appends. */
export const ChatEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("started"), user: Message.nullable(), reply: Message }),
  z.object({ type: z.literal("text"), messageId: z.string(), text: z.string(), tokens: z.int() }),
])
export type ChatEvent = z.infer<typeof ChatEvent>

/** What deleting a model would free, and who would notice. */
export const Removal = z.object({
  freedBytes: z.number(),
  usedBy: z.array(
    z.object({
      /** "copy": quantized from it, goes on working without it. */
      kind: z.enum(["loaded", "job", "copy"]),
      /** Of what uses it; of a copy also its format: "SmolLM2 (nf4-dq)". */
      name: z.string(),
    }),
  ),
})
export type Removal = z.infer<typeof Removal>

export const FolderEntry = z.object({
  name: z.string(),
  path: z.string(),
  kind: z.enum(["folder", "model-folder", "gguf"]),
  bytes: z.number(),
})
export type FolderEntry = z.infer<typeof FolderEntry>

const chatId = z.object({ chatId: z.string() })

export const app = {
  "app.snapshot": method(z.void(), Snapshot),
  /** Runs until cancelled. */
  "app.events": stream(z.void(), AppEvent, z.void()),
  /** One measurement a second for all that watch, until cancelled; nothing is measured while nobody watches. */
  "app.watchMemory": stream(z.void(), MemorySnapshot, z.void()),
  /** Text for a bug report: versions, processor, devices, self test; no paths of the user, no chat. */
  "app.diagnostics": method(z.void(), z.string()),

  /** Get the starter model, quantize it, load it. Returns at once; the job tells the rest. */
  "models.setUpStarter": method(z.object({ format: QuantizedFormat }), Job),
  "models.inspect": method(z.object({ path: z.string(), withTensors: z.boolean().default(false) }), ModelInspection),
  /** A folder or GGUF file read where it lies, or copied into the data folder. */
  "models.import": method(z.object({ path: z.string(), copy: z.boolean().default(false) }), Job),
  /** Deletes the files only if the model is owned. Returns what was freed. */
  "models.remove": method(z.object({ modelId: z.string() }), z.object({ freedBytes: z.number() })),
  /** Loads; a model that is loaded is unloaded first. Progress comes as "load" events. */
  "models.load": method(z.object({ modelId: z.string(), context: z.int().nonnegative().optional() }), LoadedModel),
  /** What LLM.int8() would take for outliers in each linear layer; the model is loaded if it is not. Without text: of the program's sample. */
  "models.outliers": method(
    z.object({ modelId: z.string(), text: z.string().optional(), threshold: OutlierThreshold.default(6) }),
    OutlierReport,
  ),
  "models.unload": method(z.void(), z.object({ freedBytes: z.number() })),
  "models.quantize": method(
    z.object({
      modelId: z.string(),
      format: QuantizedFormat,
      blockSize: BlockSize.default(64),
      skipModules: z.array(z.string()).optional(),
      /** Of the embedding and the output head, and of experts; absent: they stay in 16 bits. */
      embeddings: QuantizedFormat.optional(),
      experts: QuantizedFormat.optional(),
      loadAfter: z.boolean().default(true),
    }),
    Job,
  ),

  /** What would be freed, and what else uses it; nothing is deleted. */
  "models.removal": method(z.object({ modelId: z.string() }), Removal),
  /** Lines to go on with elsewhere: Python with transformers, and a server with vLLM. */
  "models.snippets": method(z.object({ modelId: z.string() }), z.object({ python: z.string(), vllm: z.string() })),
  /** What the data folder holds, folder by folder. */
  "storage.report": method(z.void(), StorageReport),
  /** Deletes what is left of downloads that nobody goes on with. */
  "storage.clean": method(z.void(), z.object({ freedBytes: z.number() })),

  "hub.search": method(HubQuery, HubPage),
  /** Of "org/name", an address of the hub, or either with "@revision". Reads the headers of the weights, not the weights. */
  "hub.model": method(z.object({ name: z.string().min(1).max(500), variant: z.string().optional() }), HubModel),
  /** null takes the stored token away. The hub is asked whose it is; a token that it refuses is not stored. */
  "hub.setToken": method(z.object({ token: z.string().min(1).max(500).nullable() }), HubAccount),

  "additions.create": method(z.object({ source: AdditionSource }), Addition),
  /** While nothing runs, or for what is not begun. */
  "additions.update": method(z.object({ id: z.string(), options: AdditionOptions }), Addition),
  /** Downloads, quantizes and checks, from wherever it stands: also "go on" and "try again". */
  "additions.start": method(z.object({ id: z.string() }), Addition),
  "additions.pause": method(z.object({ id: z.string() }), Addition),
  /** Back to the plan: what was downloaded is kept. */
  "additions.back": method(z.object({ id: z.string() }), Addition),
  /** Ends it and takes it off the list. What it downloaded goes, what it installed stays. */
  "additions.remove": method(z.object({ id: z.string() }), z.object({ freedBytes: z.number() })),
  "additions.tensors": method(z.object({ id: z.string() }), z.array(TensorError)),

  "plan.rows": method(PlanRequest, PlanReport),
  /** Of one format of the request: what to change so that it fits. Empty when it fits. */
  "plan.fit": method(PlanRequest.extend({ format: Format }), z.array(FitChange)),
  /** Of one format of the request: what to do, and when something else would serve better. What is wrong now comes first. */
  "plan.advice": method(PlanRequest.extend({ format: Format }), z.array(PlanAdvice)),
  /** Those that `computer` can name, the smallest first. */
  "plan.computers": method(z.void(), z.array(PlanComputer)),
  /** Of this computer or one of the list of computers. */
  "plan.capacity": method(z.object({ computer: z.string().optional(), context: z.int().positive().default(8192) }), CapacityTable),
  /** About ten seconds; refused with "busy" while a model works. */
  "plan.benchmark": stream(z.void(), z.object({ fraction: z.number() }), SpeedProfile),

  /** Perplexity, KL divergence and "same next word" of formats against the 16-bit model `modelId`. */
  "quality.measure": stream(
    z.object({ modelId: z.string(), formats: z.array(QuantizedFormat).min(1).max(3), textFile: z.string().optional() }),
    z.object({ fraction: z.number(), item: z.string() }),
    QualityReport,
  ),

  "jobs.cancel": method(z.object({ jobId: z.string() }), z.void()),
  /** Removes an ended job from the list. */
  "jobs.dismiss": method(z.object({ jobId: z.string() }), z.void()),

  "chats.create": method(z.object({ system: z.string().default("") }), Chat),
  "chats.get": method(chatId, Chat),
  "chats.update": method(
    chatId.extend({
      title: z.string().min(1).max(200).optional(),
      system: z.string().optional(),
      sampling: Sampling.optional(),
      overflow: Overflow.optional(),
      activeLeafId: z.string().optional(),
    }),
    Chat,
  ),
  "chats.remove": method(chatId, z.void()),
  "chats.search": method(z.object({ text: z.string().min(1) }), z.array(SearchHit)),

  /** Adds a user message under `parentId` (null: at the root) and streams the reply. Cancelling stops it and keeps the text. */
  "chat.send": stream(chatId.extend({ parentId: z.string().nullable(), text: z.string().min(1) }), ChatEvent, Message),
  /** A new version beside the reply `messageId` (or the first reply to the user message `messageId`). */
  "chat.regenerate": stream(chatId.extend({ messageId: z.string() }), ChatEvent, Message),
  /** Exact token counts for the meter; null limit when no model is loaded. A chat that is not made yet (null) has its system prompt only. */
  "chat.count": method(
    z.object({ chatId: z.string().nullable(), system: z.string().default(""), draft: z.string() }),
    z.object({ chat: z.int(), draft: z.int(), limit: z.int().nullable() }),
  ),

  "settings.update": method(SettingsChange, Settings),

  /** Folders and models under a folder of this computer (null: the home folder), for the file picker. */
  "files.list": method(
    z.object({ path: z.string().nullable() }),
    z.object({ path: z.string(), parent: z.string().nullable(), entries: z.array(FolderEntry) }),
  ),
}
export type AppContract = typeof app
