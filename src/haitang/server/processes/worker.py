"""The Procrastinate worker: what the rooms' `tasks.py` declare."""

import asyncio


async def run(stop: asyncio.Event) -> None:
    """Work off jobs and fire periodic ones until `stop`."""
    from procrastinate.contrib.django import app

    worker_app = app.with_connector(app.connector.get_worker_connector())
    async with worker_app.open_async():
        worker = asyncio.create_task(
            worker_app.run_worker_async(
                concurrency=4,
                install_signal_handlers=False,
                shutdown_graceful_timeout=6,
                fetch_job_polling_interval=1.0,
                delete_jobs="successful",
            )
        )
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({worker, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        worker.cancel()
        await worker
